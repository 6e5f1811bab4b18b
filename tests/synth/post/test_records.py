"""What distilabel gave, parted into kept and rejected."""

from dragoman.synth.post.records import sort_out


def test_rows_that_distilabel_left_empty_are_rejected_and_never_none() -> None:
    row = {"anchor": "a", "filename": "f", "repo_name": "r", "model_name_query": "m", "detail": "", "shortfall": ""}
    row |= {"negative": "n", "reason": "", "model_name_query_multiplied": "m"}
    nothing = dict.fromkeys(("negative", "reason", "detail", "shortfall", "model_name_query"))
    given = [
        row | {"chunk_id": "1", "positive": None} | nothing,
        row | {"chunk_id": "2", "positive": "p", "shortfall": None, "model_name_query_multiplied": None},
        row | {"chunk_id": "2", "positive": None, "shortfall": None, "model_name_query_multiplied": None},
    ]
    made = sort_out(given, ["2", "1", "3"])
    assert [(kept["chunk_id"], kept["positive"], kept["model_name_query_multiplied"]) for kept in made["rows"]] == [
        ("2", "p", "")
    ]
    assert made["rejected"] == {"1": ("lost in the pipeline", ""), "3": ("lost in the pipeline", "")}
    assert made["short"] == {"2": "lost in the pipeline"}
