import dataclasses
from math import nan

import pytest
import torch

from scaling_lesson.gpt import GPT
from scaling_lesson.models import (
    GPT2_SMALL,
    LLAMA3_70B,
    ModelConfig,
    Source,
    parameter_count,
    parameters_by_component,
    require_in_context,
)

# Every size is another prime (d_model = 3 x 7), and d_ff is not 4 d_model, so that no two sizes can be swapped unseen.
PRIMES = ModelConfig("primes", 5, 3, 3, 21, 83, 101, 29, GPT2_SMALL.source)


def counted_in_the_modules(config):
    """Parameters of a real GPT by component. On the meta device no numbers are stored, so any size is quick."""
    with torch.device("meta"):
        model = GPT(config)
    counted = dict.fromkeys(("embeddings", "attention", "feed_forward", "layer_norm"), 0)
    for name, parameter in model.named_parameters():
        if ".attn." in name:
            counted["attention"] += parameter.numel()
        elif ".mlp." in name:
            counted["feed_forward"] += parameter.numel()
        elif ".ln_" in name:
            counted["layer_norm"] += parameter.numel()
        else:
            counted["embeddings"] += parameter.numel()
    return counted


@pytest.mark.parametrize("config", [PRIMES, GPT2_SMALL], ids=lambda config: config.name)
def test_every_component_has_as_many_parameters_as_the_modules(config):
    assert parameters_by_component(config) == counted_in_the_modules(config)


def test_gpt2_small_has_the_known_count_and_shares():
    parts = parameters_by_component(GPT2_SMALL)
    assert parameter_count(GPT2_SMALL) == sum(parts.values()) == 124_439_808
    shares = {part: f"{count / parameter_count(GPT2_SMALL):.1%}" for part, count in parts.items()}
    assert shares == {"embeddings": "31.6%", "attention": "22.8%", "feed_forward": "45.5%", "layer_norm": "0.0%"}


def test_tying_the_token_table_saves_38_6_million():
    assert GPT2_SMALL.vocab_size * GPT2_SMALL.d_model == 38_597_376


@pytest.mark.parametrize(
    "config, sizes",
    [
        (GPT2_SMALL, (12, 12, 12, 768, 3072, 50257, 1024, 64)),
        (LLAMA3_70B, (80, 64, 8, 8192, 28672, 128256, 8192, 128)),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_published_sizes(config, sizes):
    fields = ("n_layer", "n_head", "n_kv_head", "d_model", "d_ff", "vocab_size", "max_seq_len", "head_dim")
    assert tuple(getattr(config, field) for field in fields) == sizes


def test_a_source_reads_as_one_line():
    source = Source("Radford et al. 2019, Unsupervised Multitask Learners", "Table 2", "2019-02-14", "https://x.org")
    assert str(source) == "Radford et al. 2019, Unsupervised Multitask Learners, Table 2 (2019-02-14)"
    assert all(str(config.source).count("\n") == 0 and config.source.url for config in (GPT2_SMALL, LLAMA3_70B))


def test_a_config_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        GPT2_SMALL.n_layer = 13


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
    ],
)
def test_sizes_must_fit_each_other(change, message):
    with pytest.raises(ValueError) as error:
        dataclasses.replace(PRIMES, **change)
    assert str(error.value) == message


@pytest.mark.parametrize("count", [parameters_by_component, parameter_count])
def test_a_model_of_another_architecture_is_not_counted(count):
    with pytest.raises(ValueError, match="^n_kv_head must equal n_head .*; got n_kv_head=8, n_head=64$"):
        count(LLAMA3_70B)


def test_a_length_must_fit_the_context():
    require_in_context("seq_len", PRIMES.max_seq_len, PRIMES)
    with pytest.raises(ValueError, match="seq_len must be at most max_seq_len=29; got 30"):
        require_in_context("seq_len", 30, PRIMES)
