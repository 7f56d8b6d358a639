"""The picture of the stages: what crosses, what is learned; text of a notebook stays text."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from percent import notebook

from nb2prod.compiler import analyse
from nb2prod.graph.layout import Link, Size, layout
from nb2prod.graph.mermaid import escaped
from nb2prod.graph.render import FORMATS, render
from nb2prod.graph.view import ranges, view

CHURN = """\
# %% tags=setup
SIZE = 0.25
# %% tags=load
import pandas as pd
df = pd.read_csv("data/churn.csv")
df.head()
# %% tags=features
def clean(value):
    return str(value).strip()

df = df.dropna(subset=["age"])
df["age"] = df["age"].fillna(df["age"].median())
df["plan"] = df["plan"].map(clean)
X = df[["age", "plan"]]
y = df["churn"]
# %% tags=train
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=SIZE)
model = RandomForestClassifier().fit(X_train, y_train)
accuracy = model.score(X_test, y_test)
# %% tags=infer
pred = model.predict(X_test)
"""

# Everything that means something in HTML, in Mermaid, in a template or on a terminal.
EVIL = """\
# %% tags=load
import pandas as pd
# </pre></script><script>alert(1)</script> $title ${facts} {{ 1 }}
df = pd.read_csv('a/"><img src=x onerror=alert(2)>`|]{}#;.csv')
# %% tags=features
df['<b onclick="alert(3)">'] = df['</title>'].fillna(df['</title>'].median())
X = df[['<b onclick="alert(3)">']]
y = df["&amp;"]
# %% tags=train
from sklearn.linear_model import LogisticRegression
m = LogisticRegression().fit(X, y)
m.score(X, y)
"""


def picture(text: str, format: str) -> str:
    compiled = analyse(notebook(text))
    return render(compiled.graph, compiled.flow, format)


def test_edges_say_what_crosses() -> None:
    data = json.loads(picture(CHURN, "json"))
    edges = {(edge["from"], edge["to"]): edge["names"] for edge in data["edges"]}
    assert edges == {
        ("load", "features"): ["df"],
        ("features", "target"): ["df"],
        ("features", "train"): ["X_train", "X_test"],
        ("target", "train"): ["y_train", "y_test"],
        ("train", "infer"): ["model"],
        ("features", "infer"): ["X_test"],
    }


def test_a_stage_says_what_it_holds() -> None:
    stages = {stage["stage"]: stage for stage in json.loads(picture(CHURN, "json"))["stages"]}
    assert stages["load"]["files"] == ["data/churn.csv"]
    features = stages["features"]
    assert features["function"] == "features.features"
    assert [one["key"] for one in features["learned"]] == ["age_median"]
    span = features["learned"][0]["span"]
    assert span == {"cell": 2, "line": 5, "column": 30, "end_line": 5, "end_column": 48}
    assert {one["how"] for one in features["training_only"]} == {"keep", "split"}
    helpers = [line["text"] for line in features["lines"] if line["helper"]]
    assert helpers == ["def clean(value):", "    return str(value).strip()"]
    assert features["settings"] == {"SIZE": "0.25"}
    assert stages["train"]["metrics"] == ["accuracy"]


def test_dropped_statements_have_reasons() -> None:
    dropped = json.loads(picture(CHURN, "json"))["dropped"]
    assert {"cell": 1, "line": 3, "text": "df.head()", "reason": "only shows something"} in dropped


def test_text() -> None:
    lines = picture(CHURN, "text").splitlines()
    assert lines[0].startswith("test.ipynb: 5 stages, ")
    assert "  learns     age_median  cell 2:5    median of all rows" in lines
    assert "  gives      X_train, X_test to train" in lines
    assert any(line.startswith("  only shows something") for line in lines)


def test_a_missing_infer_stage_is_derived() -> None:
    text = picture(CHURN[: CHURN.index("# %% tags=infer")], "text")
    assert "model.predict on the features of the rows given" in text


@pytest.mark.parametrize("format", FORMATS)
def test_without_stages_the_reasons_are_shown(format: str) -> None:
    found = picture("# %%\nx = 1\n", format)
    assert "no cell is tagged train" in found if format != "mermaid" else "no stages" in found


def test_reasons_in_the_words_of_the_rules() -> None:
    compiled = analyse(notebook("# %%\nx = 1\n"))
    text = render(compiled.graph, compiled.flow, "text", [("cell 7, line 2", "NBP999 for <this>")])
    assert "  cell 7, line 2: NBP999 for <this>" in text
    page = render(compiled.graph, compiled.flow, "html", [("cell 7, line 2", "NBP999 for <this>")])
    assert "NBP999 for &lt;this&gt;" in page


class Page(HTMLParser):
    """Elements and attributes of a page, and whether what is opened is closed."""

    VOID = ("meta", "path", "rect", "circle", "img", "br")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.ids: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes something else"


@pytest.mark.parametrize("text", [CHURN, EVIL])
def test_the_page_is_whole_and_needs_nothing_else(text: str) -> None:
    html = picture(text, "html")
    page = Page(html)
    assert page.open == []
    assert len(page.ids) == len(set(page.ids)), "an id twice"
    assert page.tags.count("script") == 1 and "img" not in page.tags and "link" not in page.tags
    for name, value in page.attributes:
        assert not name.startswith("on"), f"{name}={value}"
        assert name != "src"
        if name == "href":
            assert value is not None and value.startswith("#") and value[1:] in page.ids, value
    assert not re.search(r"(?:https?:)?//[a-z]|@import|url\((?!#)", html.replace("http://www.w3.org", ""))


def test_the_page_marks_what_is_learned() -> None:
    html = picture(CHURN, "html")
    marks = [re.sub(r"<[^>]+>", "", mark) for mark in re.findall(r"<mark title[^>]*>(.*?)</mark>", html)]
    assert marks == ["df[&quot;age&quot;].median()"]
    assert "prefers-color-scheme: dark" in html


def test_text_of_the_notebook_stays_text() -> None:
    html = picture(EVIL, "html")
    assert "<script>alert" not in html and "onerror=alert(2)>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; $title ${facts} {{ 1 }}" in re.sub(r"</?b[^>]*>", "", html)


def test_mermaid_labels_are_escaped() -> None:
    text = picture(EVIL, "mermaid")
    label = next(line for line in text.splitlines() if "load_file_1[(" in line)
    assert label.startswith('    load_file_1[("a/#34;#62;#60;img src#61;x')
    assert label.endswith('.csv")]')
    for line in text.splitlines():
        assert line.count('"') in (0, 2), line


@given(st.text(max_size=40))
def test_mermaid_escaping_leaves_nothing_with_a_meaning(text: str) -> None:
    assert not set(re.sub(r"#\d+;", "", escaped(text))) & set('"`[](){}<>|#;&\n')


def test_ranges() -> None:
    assert ranges((10, 8, 14, 15, 16, 17, 19, 20, 23, 8)) == "8, 10, 14-17, 19, 20, 23"
    assert ranges(()) == ""


def test_the_view_of_a_slice_has_no_statement_twice() -> None:
    compiled = analyse(notebook(CHURN))
    seen = view(compiled.graph, compiled.flow)
    assert sum(node.statements for node in seen.nodes) + len(seen.dropped) <= seen.total
    lines = [(line.cell, line.line) for node in seen.nodes for line in node.lines if not line.helper]
    assert len(lines) == len(set(lines))


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[str, Size], list[Link]]:
    names = [f"n{number}" for number in range(draw(st.integers(1, 9)))]
    sides = st.floats(10, 300)
    sizes = {name: Size(draw(sides), draw(sides)) for name in names}
    pairs = list(combinations(names, 2))
    chosen = draw(st.lists(st.sampled_from(pairs), max_size=14)) if pairs else []
    return sizes, [Link(a, b, Size(draw(st.floats(0, 120)), 20)) for a, b in chosen]


@settings(max_examples=150, deadline=None)
@given(graphs())
def test_layouts_overlap_nowhere_and_point_down(graph: tuple[dict[str, Size], list[Link]]) -> None:
    sizes, links = graph
    placed = layout(sizes, links)
    for a, b in combinations(placed.boxes.values(), 2):
        beside = a.x + a.width <= b.x + 1e-6 or b.x + b.width <= a.x + 1e-6
        assert beside or a.y + a.height <= b.y + 1e-6 or b.y + b.height <= a.y + 1e-6
    for link, route in zip(links, placed.routes, strict=True):
        source, target = placed.boxes[link.source], placed.boxes[link.target]
        assert route.points[0][1] == source.y + source.height and route.points[-1][1] == target.y
        assert all(upper[1] < lower[1] for upper, lower in zip(route.points, route.points[1:], strict=False))
    for box in placed.boxes.values():
        assert box.x >= -1e-6 and box.x + box.width <= placed.width + 1e-6
        assert box.y >= 0 and box.y + box.height <= placed.height + 1e-6


def test_a_cycle_is_a_fault() -> None:
    with pytest.raises(AssertionError, match="cycle"):
        layout({"a": Size(1, 1), "b": Size(1, 1)}, [Link("a", "b"), Link("b", "a")])
