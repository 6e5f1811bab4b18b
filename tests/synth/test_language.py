"""Telling the language of a passage."""

from collections.abc import Callable

import pytest

from dragoman.records import Chunk
from dragoman.synth.language import language_asked, language_of, languages

MakeChunk = Callable[..., Chunk]

TEXTS = {
    "German": "Der Ofen wird vorgeheizt, bevor der Teig hineinkommt. Wenn die Kruste zu hell ist, wird sie mit dem Grill gebräunt.",
    "French": "Le four doit être chaud avant que vous mettiez le pain dans le moule. Pour une croûte dorée, il est bon de verser de l'eau.",
    "Spanish": "El horno debe estar caliente cuando se mete la masa. Para una corteza dorada se puede poner agua en la bandeja.",
    "Portuguese": "O forno deve estar quente quando você coloca a massa. Para uma crosta dourada não é preciso mais do que um pouco de água.",
    "Italian": "Il forno deve essere caldo quando la pasta è pronta. Per una crosta dorata non serve altro che acqua nella teglia.",
    "Dutch": "De oven moet warm zijn voor het deeg erin gaat. Als de korst niet bruin wordt, kan je een schaal met water zetten.",
    "Polish": "Piec musi być gorący, zanim ciasto do niego trafi. Jeśli skórka nie jest złota, to można dodać wody na blachę i piec.",
    "Turkish": "Fırın, hamur girmeden önce sıcak olmalıdır. Kabuk için bir kap su koymak yeterlidir ve bu, ekmek için daha iyi bir sonuç verir.",
    "Vietnamese": "Lò nướng phải nóng khi cho bột vào. Để có lớp vỏ vàng, bạn có thể cho một ít nước vào khay với một cái thìa và không mở cửa.",
    "Japanese": "パンを焼く前に、オーブンを温めてください。",
    "Korean": "빵을 굽기 전에 오븐을 예열하세요.",
    "Simplified Chinese": "请在烘烤面包之前预热烤箱。这个时候选择数据。",
    "Traditional Chinese": "請在烘烤麵包之前預熱烤箱。這個時候選擇數據。",
    "Russian": "Разогрейте духовку перед выпечкой хлеба.",
    "Ukrainian": "Розігрійте духовку перед випіканням хліба. Її двері зачинені.",
    "Greek": "Προθερμάνετε τον φούρνο.",
    "Arabic": "سخن الفرن قبل الخبز",
    "Hebrew": "חממו את התנור",
    "Hindi": "ओवन को पहले से गरम करें",
    "Thai": "อุ่นเตาอบก่อน",
}


@pytest.mark.parametrize("language", TEXTS)
def test_a_few_sentences_tell_their_language(language: str) -> None:
    assert language_of(TEXTS[language]) == language


@pytest.mark.parametrize(
    "text",
    [
        "Heat the oven before the dough is in it, and you can use the stone if the crust is not brown.",
        "Oven",
        "",
        "1234 --- ???",
        "```\nder die das und ist nicht mit für auf eine\n```\nThe oven is hot.",
        "The oven is hot: `der die das und ist nicht mit für`.",
        "Le oven",
    ],
)
def test_english_code_and_too_little_text_are_no_language(text: str) -> None:
    assert language_of(text) == ""


def test_all_chunks_of_a_page_have_the_page_s_language(make_chunk: MakeChunk) -> None:
    german = [make_chunk(TEXTS["German"], "de.md"), make_chunk("Ofen.", "de.md")]
    english = make_chunk("The oven is hot and the dough is not.", "en.md")
    found = languages([*german, english])
    assert found == {german[0].id: "German", german[1].id: "German", english.id: ""}
    assert language_asked(german[1], "auto", found) == "German"
    assert language_asked(german[1], "", found) == ""
    assert language_asked(english, "Dutch", found) == "Dutch"
