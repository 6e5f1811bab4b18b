"""Headings put the way people search: what is asked, and above all what is left alone."""

import pytest

from dragoman.synth.phrasing import asked_as_is, phrased, search_words, topic_of

SAID = {
    "Create a dataset": "how to create a dataset",
    "Adding records to a dataset": "how to add records to a dataset",
    "Importing and exporting datasets": "how to import and export datasets",
    "Add, update, and delete records": "how to add, update, and delete records",
    "Step 2: Define the new dataset": "how to define the new dataset",
    "3. Check your version of Node.js": "how to check your version of Node.js",
    "List users in a workspace": "how to list users in a workspace",
    "List workspaces": "how to list workspaces",
    "Query with search terms": "how to query with search terms",
    "Filtering files": "how to filter files",
    "Running Your Application": "how to run your application",
    "Creating the `LanceDB` Retriever": "how to create the LanceDB retriever",
    "Set up the documentation": "how to set up the documentation",
    "Setting up a CDN": "how to set up a CDN",
    "Deploying to Vercel (Serverless)": "how to deploy to vercel (Serverless)",
    "Getting started with webhooks": "how to get started with webhooks",
    "Migrate SDK 3.4 to 4.0": "how to migrate SDK 3.4 to 4.0",
    "Using streamUI with Next.js": "how to use streamUI with Next.js",
    "Disabling Draft Mode (Optional)": "how to disable draft mode",
    "Working with runtime APIs": "how to work with runtime APIs",
    "Why use the SDK?": "Why use the SDK?",
    "How to configure and disable OAuth access": "How to configure and disable OAuth access",
    "Q: Does the tool send anything to the registry?": "Does the tool send anything to the registry?",
    "AI_NoSuchModelError": "how to fix AI_NoSuchModelError",
}
LEFT_ALONE = [
    "Link Component", "Image Component", "Test runner", "Build options", "Update policy", "Release notes", "Use cases", "Filter",
    "Rendering strategies", "Working Memory", "Rating Task", "Testing library", "Troubleshooting Tips", "Replace Mode",
    "Where to Next?", "Still having issues?", "Next Steps", "See also", "Table of contents", "Make changes and push them",
    "Check this error", "Prepare and Prepublish", "Using `<video>` and `<audio>`", "Define (Replacing variables)",
    "Updating (or refreshing) sessions", "Linking and Navigating", "Server Telemetry", "rg.Record", "sendMessages()", "Usage",
    "Before (Anthropic)", "Settings", "Understanding the changes", "Using use cache at the top", "CLI", "", "***", "Paramètres",
]  # fmt: skip


@pytest.mark.parametrize("heading", SAID)
def test_a_heading_that_tells_what_one_does_becomes_what_one_asks(heading: str) -> None:
    found = phrased((heading,))
    assert found is not None
    assert found.text == SAID[heading]
    assert found.style == (
        "faq" if heading.endswith("?") or heading.startswith("How") else "error" if "Error" in heading else "phrased"
    )


@pytest.mark.parametrize("heading", LEFT_ALONE)
def test_a_heading_that_would_make_poor_english_is_left_alone(heading: str) -> None:
    assert phrased((heading,)) is None


@pytest.mark.parametrize(
    ("trail", "text"),
    [
        (("CLI", "Installation"), "how to install CLI"),
        (("Token Chunker", "Options"), "token chunker options"),
        (("rg.Query", "Usage Examples"), "how to use rg.Query"),
        (("DirectChatTransport", "Methods", "sendMessages()", "Returns"), "what does sendMessages() return"),
        (("Overview", "Webhooks", "How it works"), "how do webhooks work"),
        (("Server", "Tools", "Overview"), "what are tools"),
        (("npm-token", "npm-token @12.2.0", "Table of contents", "Examples"), "npm-token examples"),
        (("Link Component", "Reference", "Props"), "link component props"),
    ],
)
def test_a_heading_that_says_nothing_by_itself_asks_about_its_topic(trail: tuple[str, ...], text: str) -> None:
    found = phrased(trail)
    assert found is not None
    assert found.text == text


@pytest.mark.parametrize(
    "trail",
    [
        ("Installation",),
        ("Welcome to the docs", "Installation"),
        ("Create a dataset", "Usage"),
        ("Adding records", "Example"),
        ("Advanced configuration", "Configuration"),
        ("Add, update, and delete records", "Usage"),
        ("Before → After", "Usage"),
        ("How do I start?", "Prerequisites"),
    ],
)
def test_what_is_no_thing_is_no_topic(trail: tuple[str, ...]) -> None:
    assert phrased(trail) is None


def test_the_page_is_named_where_several_sections_would_ask_the_same() -> None:
    named = phrased(("rg.Settings", "Usage Examples", "Creating a dataset"))
    said = phrased(("Dataset management", "Create a dataset"))
    vague = phrased(("Developer", "Set up the editor"))
    assert [found.fuller if found else None for found in (named, said, vague)] == [
        "how to create a dataset in rg.Settings",
        "",
        "",
    ]


def test_the_topic_is_the_nearest_heading_that_names_something() -> None:
    assert topic_of(("Server configuration", "Environment variables", "Examples")) == "Server configuration"
    assert topic_of(("Server configuration", "Add a user", "Examples")) == ""
    assert topic_of(("Server configuration", "Add a user")) == ""


def test_keywords_skip_headings_that_say_nothing() -> None:
    assert search_words(("npm-query", "Configuration", "json")) == "json npm-query"
    assert search_words(("Bakery", "1. Oven:")) == search_words(("Bakery", "2.1 Oven")) == "Oven Bakery"
    assert search_words(("Overview", "Oven")) == "Oven Overview"
    assert search_words(("Bakery",)) == "Bakery"


def test_a_question_in_another_language_is_asked_as_it_stands() -> None:
    found = asked_as_is(("Guide", "Comment installer le four ?"))
    assert found is not None
    assert (found.text, found.style) == ("Comment installer le four ?", "faq")
    assert asked_as_is(("Guide", "Créer un four")) is None
