"""Model sizes: what a GPT is made of, and the published models and training runs the lesson measures.

Names are the field's. GPT-2's own code writes `n_embd` for what is `d_model` here, and `n_ctx` for `max_seq_len`.
Every published size stands with the place it was printed.
"""

from dataclasses import dataclass

from scaling_lesson.checks import require_positive, require_positive_int, require_text


@dataclass(frozen=True)
class Source:
    """Where an outside fact is printed.

    title: authors, year and title.  where: the table, section or page.
    date: of the edition read, as precise as it states.  url: where to read it.
    """

    title: str
    where: str
    date: str
    url: str

    def __post_init__(self) -> None:
        require_text(title=self.title, where=self.where, date=self.date, url=self.url)

    def __str__(self) -> str:
        return f"{self.title}, {self.where} ({self.date})"


def require_source(source: Source) -> None:
    """Nothing; raises ValueError unless `source` is a Source: no outside fact stands without one."""
    if not isinstance(source, Source):
        raise ValueError(f"source must be a Source; got {source!r}")


@dataclass(frozen=True)
class ModelConfig:
    """The sizes of one decoder-only transformer.

    n_layer: blocks.  n_head: query heads in a layer.  n_kv_head: heads that have keys and values of their own; fewer
    than n_head when several query heads share one (grouped-query attention).  d_model: width of the residual stream.
    d_ff: width inside the feed-forward network.  vocab_size: tokens.  max_seq_len: longest context, in positions.
    source: where these sizes are printed.  layout: how the blocks are built, "GPT-2" or "Llama":

    GPT-2: learned positions, two feed-forward matrices, biases, layer norm, one table for tokens in and logits out.
    Llama: rotary positions, three feed-forward matrices (one gates another), no biases, RMS norm, two tables.

    Raises ValueError when a size is not a positive integer, when the heads do not split d_model evenly, when the
    key-value heads do not split the query heads evenly, or for another layout.
    """

    name: str
    n_layer: int
    n_head: int
    n_kv_head: int
    d_model: int
    d_ff: int
    vocab_size: int
    max_seq_len: int
    source: Source
    layout: str = "GPT-2"

    def __post_init__(self) -> None:
        require_text(name=self.name)
        for size in ("n_layer", "n_head", "n_kv_head", "d_model", "d_ff", "vocab_size", "max_seq_len"):
            require_positive_int(**{size: getattr(self, size)})
        if self.d_model % self.n_head:
            raise ValueError(f"d_model must be divisible by n_head; got d_model={self.d_model}, n_head={self.n_head}")
        if self.n_head % self.n_kv_head:
            raise ValueError(
                f"n_head must be divisible by n_kv_head; got n_head={self.n_head}, n_kv_head={self.n_kv_head}"
            )
        if self.layout not in ("GPT-2", "Llama"):
            raise ValueError(f"layout must be 'GPT-2' or 'Llama'; got {self.layout!r}")
        require_source(self.source)

    @property
    def head_dim(self) -> int:
        """Width of one head: d_model / n_head."""
        return self.d_model // self.n_head


@dataclass(frozen=True)
class Fact:
    """One outside number that is neither a model's nor an accelerator's, above 0, with its source, else ValueError."""

    value: float
    source: Source

    def __post_init__(self) -> None:
        require_positive(value=self.value)
        require_source(self.source)


@dataclass(frozen=True)
class PublishedRun:
    """One published training run.

    parameters: of the model, as printed.  tokens: it was trained on, as printed.  source: where they are printed.
    Where the source prints them too, else None: training_flops, the FLOPs of the run; n_accelerators, how many it ran
    on; accelerator_hours, their hours in all; days, how long it took.

    Raises ValueError when a figure is not above 0 and finite.
    """

    name: str
    parameters: float
    tokens: float
    source: Source
    training_flops: float | None = None
    n_accelerators: int | None = None
    accelerator_hours: float | None = None
    days: float | None = None

    def __post_init__(self) -> None:
        require_text(name=self.name)
        require_positive(parameters=self.parameters, tokens=self.tokens)
        for field in ("training_flops", "n_accelerators", "accelerator_hours", "days"):
            if getattr(self, field) is not None:
                require_positive(**{field: getattr(self, field)})
        require_source(self.source)


def require_gpt2_layout(config: ModelConfig) -> None:
    """Nothing; raises ValueError unless `config` is laid out as GPT-2, where each head has its own keys and values."""
    if config.layout != "GPT-2":
        raise ValueError(f"layout must be 'GPT-2'; got {config.layout!r} ({config.name})")
    if config.n_kv_head != config.n_head:
        raise ValueError(
            f"n_kv_head must equal n_head in the GPT-2 layout; got n_kv_head={config.n_kv_head}, n_head={config.n_head}"
        )


def require_in_context(config: ModelConfig, **lengths: int) -> None:
    """Nothing; raises ValueError naming the length that is not a positive integer up to config.max_seq_len."""
    require_positive_int(**lengths)
    for name, length in lengths.items():
        if length > config.max_seq_len:
            raise ValueError(f"{name} must be at most max_seq_len={config.max_seq_len}; got {length}")


def require_positions(new_positions: int, key_positions: int, config: ModelConfig) -> None:
    """Nothing; raises ValueError unless new_positions queries can meet key_positions keys, their own among them.

    key_positions must be a positive integer up to config.max_seq_len, new_positions one up to key_positions.
    """
    require_in_context(config, key_positions=key_positions)
    require_positive_int(new_positions=new_positions)
    if new_positions > key_positions:
        raise ValueError(f"new_positions must be at most key_positions={key_positions}; got {new_positions}")


# GPT-2. The paper prints layers and d_model (Table 2), the vocabulary and the context (Section 2.3), but neither heads
# nor d_ff: those are in the released code and its hparams. Its parameter counts are miscounts ("117M", "345M", "762M");
# `accounting.parameter_count` gives what the released weights hold.
_GPT2_SOURCE = Source(
    title="Radford et al. 2019, Language Models are Unsupervised Multitask Learners",
    where="Table 2 and Section 2.3; heads and d_ff in the released src/model.py and hparams.json",
    date="2019-02-14",
    url="https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf",
)


def _gpt2(name: str, n_layer: int, n_head: int, d_model: int) -> ModelConfig:
    return ModelConfig(name, n_layer, n_head, n_head, d_model, 4 * d_model, 50257, 1024, _GPT2_SOURCE)


GPT2_SMALL = _gpt2("GPT-2 small", n_layer=12, n_head=12, d_model=768)
GPT2_MEDIUM = _gpt2("GPT-2 medium", n_layer=24, n_head=16, d_model=1024)
GPT2_LARGE = _gpt2("GPT-2 large", n_layer=36, n_head=20, d_model=1280)
GPT2_XL = _gpt2("GPT-2 XL", n_layer=48, n_head=25, d_model=1600)

# Llama 2 7B: 32 heads, each with its own keys and values; only the larger Llama 2 models share them.
LLAMA2_7B = ModelConfig(
    "Llama 2 7B",
    n_layer=32,
    n_head=32,
    n_kv_head=32,
    d_model=4096,
    d_ff=11008,
    vocab_size=32000,
    max_seq_len=4096,
    layout="Llama",
    source=Source(
        title="Touvron et al. 2023, Llama 2: Open Foundation and Fine-Tuned Chat Models",
        where="Table 1 and Section 2.2; layers, widths and heads in the released config.json of Llama-2-7b",
        date="2023-07-19",
        url="https://arxiv.org/abs/2307.09288v2",
    ),
)

# Llama 3. Table 3 prints the vocabulary as 128,000; the released models have 256 special tokens more. The feed-forward
# widths of its first edition (July 2024) are misprints; the released weights have those below.
_LLAMA3_SOURCE = Source(
    title="Grattafiori et al. 2024, The Llama 3 Herd of Models",
    where="Table 3; vocabulary and context in the released config.json files",
    date="2024-11-23",
    url="https://arxiv.org/abs/2407.21783v3",
)


def _llama3(name: str, n_layer: int, n_head: int, d_model: int, d_ff: int, max_seq_len: int) -> ModelConfig:
    return ModelConfig(name, n_layer, n_head, 8, d_model, d_ff, 128256, max_seq_len, _LLAMA3_SOURCE, "Llama")


LLAMA3_8B = _llama3("Llama 3 8B", n_layer=32, n_head=32, d_model=4096, d_ff=14336, max_seq_len=8192)
LLAMA3_70B = _llama3("Llama 3 70B", n_layer=80, n_head=64, d_model=8192, d_ff=28672, max_seq_len=8192)
LLAMA3_405B = _llama3("Llama 3.1 405B", n_layer=126, n_head=128, d_model=16384, d_ff=53248, max_seq_len=131072)

GPT3 = PublishedRun(
    "GPT-3",
    175.0e9,
    300e9,
    training_flops=3.14e23,
    source=Source(
        title="Brown et al. 2020, Language Models are Few-Shot Learners",
        where="Table 2.1; FLOPs in Table D.1",
        date="2020-07-22",
        url="https://arxiv.org/abs/2005.14165v4",
    ),
)
_CHINCHILLA_SOURCE = Source(
    title="Hoffmann et al. 2022, Training Compute-Optimal Large Language Models",
    where="Table 1; the budget both runs share in Figure 2 and Table 3",
    date="2022-03-29",
    url="https://arxiv.org/abs/2203.15556v1",
)
# Gopher's own paper counts 6.31e23 FLOPs; 5.76e23 is what Hoffmann et al. compare at.
GOPHER = PublishedRun("Gopher", 280e9, 300e9, _CHINCHILLA_SOURCE, training_flops=5.76e23)
CHINCHILLA = PublishedRun("Chinchilla", 70e9, 1.4e12, _CHINCHILLA_SOURCE, training_flops=5.76e23)
_LLAMA_SOURCE = Source(
    title="Touvron et al. 2023, LLaMA: Open and Efficient Foundation Language Models",
    where="Table 2; accelerators and days in Section 2.4, hours in Table 15",
    date="2023-02-27",
    url="https://arxiv.org/abs/2302.13971v1",
)
LLAMA_13B = PublishedRun("LLaMA-13B", 13.0e9, 1.0e12, _LLAMA_SOURCE, accelerator_hours=135168)
LLAMA_65B = PublishedRun(
    "LLaMA-65B", 65.2e9, 1.4e12, _LLAMA_SOURCE, n_accelerators=2048, accelerator_hours=1022362, days=21
)

TINY_SHAKESPEARE_TRAIN_TOKENS = Fact(
    301966,
    Source(
        "Karpathy, nanoGPT",
        "data/shakespeare/prepare.py: GPT-2 tokens of the training split",
        "2025-11-12",
        "https://github.com/karpathy/nanoGPT",
    ),
)
V100_ESTIMATE_FLOP_PER_S = Fact(
    28e12,
    Source(
        "Li 2020, OpenAI's GPT-3 Language Model: A Technical Overview",
        "Lambda Labs blog: a V100's FLOP/s",
        "2020-06-03",
        "https://lambdalabs.com/blog/demystifying-gpt-3",
    ),
)
_FLASH_SOURCE = Source(
    "Dao 2023, FlashAttention-2",
    "abstract, on FlashAttention and optimised baselines",
    "2023-07-17",
    "https://arxiv.org/abs/2307.08691v1",
)
FLASH_LEAST_SPEEDUP, FLASH_MOST_SPEEDUP = Fact(2, _FLASH_SOURCE), Fact(4, _FLASH_SOURCE)
FLASH_SRAM_BYTES = Fact(
    100 * 1024,
    Source(
        "Dao et al. 2022, FlashAttention",
        "Section 3.2: the on-chip memory a tile may use, around 100 KB",
        "2022-06-23",
        "https://arxiv.org/abs/2205.14135v2",
    ),
)
