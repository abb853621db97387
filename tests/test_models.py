import dataclasses
import re
from math import nan

import pytest
import transformers

from scaling_lesson import models
from scaling_lesson.accounting import parameter_count
from scaling_lesson.models import (
    CHINCHILLA,
    GOPHER,
    GPT2_LARGE,
    GPT2_MEDIUM,
    GPT2_SMALL,
    GPT2_XL,
    GPT3,
    LLAMA2_7B,
    LLAMA3_8B,
    LLAMA3_70B,
    LLAMA3_405B,
    LLAMA_65B,
    QWEN3_4B,
    ModelConfig,
    PublishedRun,
    Source,
    require_gpt2_layout,
    require_in_context,
)

# Every size is another prime (d_model = 3 x 7), and d_ff is not 4 d_model, so that no two sizes can be swapped unseen.
PRIMES = ModelConfig("primes", 5, 3, 3, 21, 83, 101, 29, GPT2_SMALL.source)

CONFIGS = {name: value for name, value in vars(models).items() if isinstance(value, ModelConfig)}
RUNS = {name: value for name, value in vars(models).items() if isinstance(value, PublishedRun)}

# As printed: layers, query heads, key-value heads, d_model, d_ff, vocabulary, context, width of a head, layout.
PUBLISHED_SIZES = {
    "GPT2_SMALL": (12, 12, 12, 768, 3072, 50257, 1024, 64, "GPT-2"),
    "GPT2_MEDIUM": (24, 16, 16, 1024, 4096, 50257, 1024, 64, "GPT-2"),
    "GPT2_LARGE": (36, 20, 20, 1280, 5120, 50257, 1024, 64, "GPT-2"),
    "GPT2_XL": (48, 25, 25, 1600, 6400, 50257, 1024, 64, "GPT-2"),
    "LLAMA2_7B": (32, 32, 32, 4096, 11008, 32000, 4096, 128, "Llama"),
    "LLAMA3_8B": (32, 32, 8, 4096, 14336, 128256, 8192, 128, "Llama"),
    "LLAMA3_70B": (80, 64, 8, 8192, 28672, 128256, 8192, 128, "Llama"),
    "LLAMA3_405B": (126, 128, 8, 16384, 53248, 128256, 131072, 128, "Llama"),
    "QWEN3_4B": (36, 32, 8, 2560, 9728, 151936, 40960, 128, "Qwen3"),
}

# As printed: parameters, tokens, FLOPs, accelerators, accelerator-hours, days.
PUBLISHED_RUNS = {
    "GPT3": (175e9, 300e9, 3.14e23, None, None, None),
    "GOPHER": (280e9, 300e9, 5.76e23, None, None, None),
    "CHINCHILLA": (70e9, 1.4e12, 5.76e23, None, None, None),
    "LLAMA_13B": (13.0e9, 1.0e12, None, None, 135168, None),
    "LLAMA_65B": (65.2e9, 1.4e12, None, 2048, 1022362, 21),
    "LLAMA3_8B_RUN": (8.0e9, 15e12, None, None, 1.3e6, None),
    "LLAMA3_405B_RUN": (405e9, 15.6e12, 3.8e25, 16384, None, None),
}


def test_every_published_size_is_as_printed():
    fields = (
        "n_layer",
        "n_head",
        "n_kv_head",
        "d_model",
        "d_ff",
        "vocab_size",
        "max_seq_len",
        "head_dim",
        "layout",
    )
    ours = {name: tuple(getattr(config, field) for field in fields) for name, config in CONFIGS.items()}
    assert ours == PUBLISHED_SIZES


def test_every_published_run_is_as_printed():
    fields = ("parameters", "tokens", "training_flops", "n_accelerators", "accelerator_hours", "days")
    assert {name: tuple(getattr(run, field) for field in fields) for name, run in RUNS.items()} == PUBLISHED_RUNS


def test_every_model_and_run_has_a_name_of_its_own_and_a_source_one_can_look_up():
    published = [*CONFIGS.values(), *RUNS.values()]
    assert len({model.name for model in published}) == len(published)
    for model in published:
        source = model.source
        assert re.search(r"\b(19|20)\d\d, [A-Z]", source.title), model.name  # authors, year, title
        assert re.search(r"Table|Section", source.where), model.name
        assert re.fullmatch(r"20\d\d-\d\d(-\d\d)?", source.date), model.name
        assert re.fullmatch(r"https://\S+", source.url), model.name
        # An edition, not whatever stands there now: arXiv's without a version changes.
        assert "arxiv.org" not in source.url or re.search(r"v\d+$", source.url), model.name
        assert str(source) == f"{source.title}, {source.where} ({source.date})"


def test_the_released_models_are_as_large_as_their_names_say():
    # Names round to the digits they print: half a unit of the last one. GPT-2's paper miscounts, and prints none here.
    for config, billions, digit in (
        (LLAMA2_7B, 7, 1),
        (LLAMA3_8B, 8, 1),
        (LLAMA3_70B, 70, 1),
        (LLAMA3_405B, 405, 1),
        (QWEN3_4B, 4, 0.5),
    ):
        assert parameter_count(config) / 1e9 == pytest.approx(billions, abs=digit), config.name


def test_gpt2_small_has_the_sizes_hugging_face_defaults_to():
    theirs = transformers.GPT2Config()
    assert (theirs.n_layer, theirs.n_head, theirs.n_embd) == (GPT2_SMALL.n_layer, GPT2_SMALL.n_head, GPT2_SMALL.d_model)
    assert (theirs.vocab_size, theirs.n_positions) == (GPT2_SMALL.vocab_size, GPT2_SMALL.max_seq_len)


def test_training_flops_are_about_6_for_each_parameter_and_token():
    # 6 N D leaves out attention and rounds N and D: Gopher's budget is printed 14 % above it, Chinchilla's 2 % below.
    for run in (GPT3, GOPHER, CHINCHILLA):
        assert run.training_flops == pytest.approx(6 * run.parameters * run.tokens, rel=0.15), run.name


def test_llama_65bs_hours_are_those_of_its_accelerators_and_days():
    # 2,048 x 21 x 24 = 1,032,192; the paper prints "approximately 21 days", so half a day either way.
    assert LLAMA_65B.accelerator_hours / LLAMA_65B.n_accelerators / 24 == pytest.approx(LLAMA_65B.days, abs=0.5)


def test_the_layout_gpt2_stands_for():
    for config in (PRIMES, GPT2_SMALL, GPT2_MEDIUM, GPT2_LARGE, GPT2_XL):
        require_gpt2_layout(config)
        assert config.layout == "GPT-2" and config.n_kv_head == config.n_head


@pytest.mark.parametrize(
    "config, message",
    [
        (LLAMA3_70B, "layout must be 'GPT-2'; got 'Llama' (Llama 3 70B)"),
        # One layout asks for as many key-value heads as query heads, the other leaves them free.
        (LLAMA2_7B, "layout must be 'GPT-2'; got 'Llama' (Llama 2 7B)"),
        (
            dataclasses.replace(PRIMES, n_kv_head=1),
            "n_kv_head must equal n_head in the GPT-2 layout; got n_kv_head=1, n_head=3",
        ),
        (
            dataclasses.replace(PRIMES, own_head_dim=11),
            "head_dim must be d_model / n_head in the GPT-2 layout; got head_dim=11, d_model=21, n_head=3",
        ),
    ],
    ids=["Llama", "Llama without shared heads", "GPT-2 with shared heads", "GPT-2 with wider heads"],
)
def test_another_layout_than_gpt2s_is_refused(config, message):
    with pytest.raises(ValueError) as error:
        require_gpt2_layout(config)
    assert str(error.value) == message


def test_a_source_reads_as_one_line():
    source = Source("Radford et al. 2019, Unsupervised Multitask Learners", "Table 2", "2019-02-14", "https://x.org")
    assert str(source) == "Radford et al. 2019, Unsupervised Multitask Learners, Table 2 (2019-02-14)"


def test_a_config_a_run_and_a_source_cannot_be_changed():
    for value, field in ((GPT2_SMALL, "n_layer"), (GPT3, "tokens"), (GPT3.source, "where")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, field, 13)


@pytest.mark.parametrize("size", ["n_layer", "n_head", "n_kv_head", "d_model", "d_ff", "vocab_size", "max_seq_len"])
@pytest.mark.parametrize("bad", [0, -1, 2.0, nan, True, "12", None], ids=repr)
def test_a_size_must_be_a_positive_integer(size, bad):
    with pytest.raises(ValueError, match=rf"^{size} must be a positive integer; got {bad!r}$"):
        dataclasses.replace(PRIMES, **{size: bad})


@pytest.mark.parametrize(
    "change, message",
    [
        ({"d_model": 770, "n_head": 12}, "d_model must be divisible by n_head; got d_model=770, n_head=12"),
        ({"n_kv_head": 2}, "n_head must be divisible by n_kv_head; got n_head=3, n_kv_head=2"),
        ({"name": ""}, "name must be a non-empty string; got ''"),
        ({"source": "a paper"}, "source must be a Source; got 'a paper'"),
        ({"layout": "gpt2"}, "layout must be 'GPT-2', 'Llama' or 'Qwen3'; got 'gpt2'"),
        ({"own_head_dim": 0}, "own_head_dim must be a positive integer; got 0"),
        ({"own_head_dim": 7.0}, "own_head_dim must be a positive integer; got 7.0"),
    ],
)
def test_sizes_must_fit_each_other(change, message):
    with pytest.raises(ValueError) as error:
        dataclasses.replace(PRIMES, **change)
    assert str(error.value) == message


def test_a_head_of_a_width_of_its_own_keeps_it_and_need_not_split_d_model():
    wide = dataclasses.replace(PRIMES, n_head=5, n_kv_head=5, own_head_dim=11)  # 5 does not divide 21
    assert wide.head_dim == 11 and dataclasses.replace(wide, d_model=26, n_kv_head=1).head_dim == 11
    # One that has none follows d_model and n_head.
    assert PRIMES.head_dim == 7 and dataclasses.replace(PRIMES, d_model=33).head_dim == 11


def test_a_length_must_fit_the_context():
    require_in_context(PRIMES, seq_len=PRIMES.max_seq_len)
    with pytest.raises(ValueError, match="seq_len must be at most max_seq_len=29; got 30"):
        require_in_context(PRIMES, seq_len=30)
