"""Defects planted one at a time in a clean checkout: the build stops, and says where."""

import re
from pathlib import Path

import pytest

LESSON = "docs/scaling-and-efficiency"
KV, MIXED = f"{LESSON}/kv-cache.md", f"{LESSON}/mixed-precision.md"

# name, file, what stands there, what is put there, and the lines the build must print: "{at}" is the line of the
# change; a pattern ending in "..." is matched from its start; "+ more" allows others.
DEFECTS = [
    ("a digit in prose", KV, "[37.7 MB](calc:one_sequence)", "[37.8 MB](calc:one_sequence)",
     ['{file}:{at}: claim "37.8 MB": one_sequence is 37748736 B (37.7 MB)']),
    ("MB for MiB", KV, "[37.7 MB](calc:one_sequence)", "[37.7 MiB](calc:one_sequence)",
     ['{file}:{at}: claim "37.7 MiB": one_sequence is 37748736 B (36.0 MiB)']),
    ("MB for MFLOP", KV, "[37.7 MB](calc:one_sequence)", "[37.7 MFLOP](calc:one_sequence)",
     ['{file}:{at}: claim "37.7 MFLOP": one_sequence is 37748736 B (37,748,736 B); MFLOP is work, not data']),
    ("a constant in src", "src/scaling_lesson/models.py", "50257, 1024", "50258, 1024",
     [MIXED + ":{n_parameters}: published n_parameters: recorded 124439808 parameter, computed 124440576 parameter", "+ more"]),
    ("a dtype in a snippet", MIXED, "small_in_fp16 = stored(small_gradient, torch.float16)",
     "small_in_fp16 = stored(small_gradient, torch.bfloat16)",
     ['{file}:{small_in_fp16}: published small_in_fp16: recorded 0.0, computed 1.0011717677116394e-08',
      '{file}:...: claim "0": small_in_fp16 is 1.0011717677116394e-08', "+ more"]),
    ("a record edited", f"{LESSON}/kv-cache.record", "value one_sequence = 37748736 B", "value one_sequence = 37748737 B",
     [KV + ":{one_sequence}: published one_sequence: recorded 37748737 B, computed 37748736 B"]),
    ("a record cut off in a line", f"{LESSON}/kv-cache.record", "one_sequence = 37748736 B\n", None,
     ["{file}:{at}: this record is cut off: its last line has no end"]),
    ("a record cut off between lines", f"{LESSON}/kv-cache.record", "value one_sequence = 37748736 B\n", "",
     [KV + ":{one_sequence}: published one_sequence: 37748736 B is not in the record"]),
    ("a merge conflict in a record", f"{LESSON}/kv-cache.record", "value one_sequence",
     "<<<<<<< ours\nvalue one_sequence", ["{file}:{at}: a merge conflict is left in this record"]),
    ("a claim naming nothing", KV, "(calc:one_sequence), which", "(calc:one_sequense), which",
     ['{file}:{at}: claim "37,748,736 bytes": nothing publishes one_sequense; did you mean one_sequence?']),
    ("a value nobody uses", KV, "one_mib=one_mib)", "one_mib=one_mib, spare=gpt2.n_layer)",
     ["{file}:{at}: published spare: 12 B is not in the record", "{file}:{at}: published spare: nothing claims it"]),
    ("a naked number", KV, "The cache trades memory for work.", "The cache trades 37 MB for work.",
     ['{file}:{at}: naked number "37": publish it and claim it, [37](calc:name)']),
    ("a block that raises", KV, "full = GPT2_SMALL.max_seq_len", "full = GPT2_SMALL.no_such_field",
     ["{file}:{at}: the block raised AttributeError: 'ModelConfig' object has no attribute 'no_such_field'"]),
    ("a block that exits", KV, "full = GPT2_SMALL.max_seq_len", "raise SystemExit(0)",
     ["{file}:{at}: the block called sys.exit(0)"]),
    ("a block that loops for ever", KV, '```python exec="on" source="above"\nfrom scaling_lesson.hardware',
     '```python exec="on" source="above" timeout="1.5"\nwhile True: pass\nfrom scaling_lesson.hardware',
     ["{file}:...: the block ran longer than 1.5 s"]),
    ("a misspelt option", KV, '```python exec="on" source="above"\nfrom scaling_lesson.hardware',
     '```python exec="on" souce="above"\nfrom scaling_lesson.hardware',
     ["{file}:{at}: this block would not run: there is no option 'souce'; did you mean 'source'?"]),
    ("exec misspelt", KV, '```python exec="on" source="above"\nfrom scaling_lesson.hardware',
     '```python exce="on" source="above"\nfrom scaling_lesson.hardware',
     ["{file}:{at}: this block would not run: there is no option 'exce'; did you mean 'exec'?", "+ more"]),
    ("a figure's data", KV, "generation_cost(cost_without, cost_with),", "generation_cost(cost_without, cost_without),",
     ["{file}:...: figure cost axes 1 line 2 y: recorded [10, 1, ...", "+ more"]),
    ("a figure's code", "src/scaling_lesson/figures/kv_cache.py", "(uncached, ORANGE", "(cached, ORANGE",
     [KV + ":...: figure cost axes 1 line 1 y: recorded [10, 11, ...", "+ more"]),
    ("a cell of a table in prose", KV, "[50.5×](calc:from_one_ratio) |", "[50.6×](calc:from_one_ratio) |",
     ['{file}:{at}: claim "50.6×": from_one_ratio is 50.5 (50.5×)']),
    ("a cell of a generated table", KV, "for n in (1, 2, 10, 50, 100)", "for n in (1, 2, 10, 51, 100)",
     ["{file}:...: table cost row 4 new token: recorded 50, computed 51", "+ more"]),
]  # fmt: skip


# -q and a cold process change how a build is started, not what it finds: a wrong number and the two ways a block can end
# stand for all.
BUILT_EVERY_WAY = {"a digit in prose", "a block that raises", "a block that exits"}


def line_of(checkout: Path, file: str, text: str) -> int:
    content = (checkout / file).read_text(encoding="utf-8")
    return content.count("\n", 0, content.index(text)) + 1


def plant(checkout: Path, file: str, old: str, new: str | None) -> int:
    """Make the change; None cuts the file off in the middle of `old`. Returns the line of the change."""
    path = checkout / file
    text = path.read_text(encoding="utf-8")
    at = text.index(old)
    path.write_text(text[: at + len(old) // 2] if new is None else text[:at] + new + text[at + len(old) :], encoding="utf-8")
    return text.count("\n", 0, at) + 1


def publishing_line(checkout: Path, name: str) -> int | None:
    for page in (KV, MIXED):
        match = re.search(rf"publish\([^\n]*\b{name}=", (checkout / page).read_text(encoding="utf-8"))
        if match:
            return line_of(checkout, page, match[0])
    return None


@pytest.mark.parametrize(("name", "file", "old", "new", "expected"), DEFECTS, ids=[d[0] for d in DEFECTS])
def test_the_build_stops_and_names_the_line(checkout, mkdocs, script, name, file, old, new, expected):
    (checkout / "site").mkdir()
    (checkout / "site/index.html").write_text("the last good site")
    at = plant(checkout, file, old, new)
    names = {n: publishing_line(checkout, n) for n in ("n_parameters", "small_in_fp16", "one_sequence")}
    wanted = [line.replace("{file}", file).replace("{at}", str(at)) for line in expected if line != "+ more"]
    for key, value in names.items():
        wanted = [line.replace(f"{{{key}}}", str(value)) for line in wanted]
    patterns = [re.escape(line).replace(r"\.\.\.:", r"\d+:").replace(r"\.\.\.", ".*") for line in wanted]
    builds = [mkdocs(checkout, "build")]
    if name in BUILT_EVERY_WAY:
        done = script(checkout, "scripts/build")
        builds += [mkdocs(checkout, "build", "-q"), (done.returncode, done.stdout + done.stderr)]
    for status, output in builds:
        assert status == 1, output
        found = re.findall(r"^docs/\S+:\d+: .*", output, re.M)
        for pattern in patterns:
            assert any(re.fullmatch(pattern, line) for line in found), f"{pattern}\nis not in\n{output}"
        assert "+ more" in expected or len(found) == len(patterns), output
        assert "Traceback" not in output
    assert [f.name for f in (checkout / "site").iterdir()] == ["index.html"]
    assert (checkout / "site/index.html").read_text() == "the last good site"


def test_a_clean_checkout_builds_every_way(checkout, mkdocs, script):
    done = script(checkout, "scripts/build")
    for status, output in (
        (done.returncode, done.stdout + done.stderr), mkdocs(checkout, "build"), mkdocs(checkout, "build", "-q"),
    ):  # fmt: skip
        assert status == 0, output
        assert not re.findall(r"^docs/\S+:\d+: .*", output, re.M)
    assert (checkout / "site/numbers.json").exists()


def test_a_block_that_cannot_be_interrupted_is_told_among_the_others(checkout, mkdocs):
    # A native call that never returns to the interpreter: nothing can be raised into it.
    at = plant(checkout, KV, "full = GPT2_SMALL.max_seq_len", "full = sum(range(10**13))")
    plant(checkout, KV, '```python exec="on" source="above"\nfrom scaling_lesson.hardware',
          '```python exec="on" source="above" timeout="0.5"\nfrom scaling_lesson.hardware')  # fmt: skip
    naked = plant(checkout, MIXED, "The **fraction** sets", "The 99 **fraction** sets")
    status, output = mkdocs(checkout, "build", "-q")
    assert status == 1
    assert re.findall(r"^docs/\S+:\d+: .*", output, re.M) == [
        f"{KV}:{at}: the block ran longer than 0.5 s",
        f'{MIXED}:{naked}: naked number "99": publish it and claim it, [99](calc:name)',
    ]
    assert not (checkout / "site").exists()


def test_a_dirty_build_is_refused(checkout, mkdocs):
    status, output = mkdocs(checkout, "build", "--dirty")
    assert status == 1
    assert "build without --dirty" in output
