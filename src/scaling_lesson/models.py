"""Model sizes: what a GPT is made of, and the published models and training runs the lesson measures.

Names are the field's. GPT-2's own code writes `n_embd` for what is `d_model` here, and `n_ctx` for `max_seq_len`.
Every published size stands with the place it was printed.
"""

from dataclasses import dataclass, replace

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
    source: where these sizes are printed.  own_head_dim: width of a head where it is not d_model / n_head, else None.
    layout: how the blocks are built, "GPT-2", "Llama" or "Qwen3":

    GPT-2: learned positions, two feed-forward matrices, biases, layer norm, one table for tokens in and logits out.
    Llama: rotary positions, three feed-forward matrices (one gates another), no biases, RMS norm, two tables.
    Qwen3: as Llama, with an RMS norm more for each head's queries and keys, and one table, as in its sizes up to 4B.

    Raises ValueError when a size is not a positive integer, when the heads have no width of their own and do not split
    d_model evenly, when the key-value heads do not split the query heads evenly, or for another layout.
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
    own_head_dim: int | None = None

    def __post_init__(self) -> None:
        require_text(name=self.name)
        for size in ("n_layer", "n_head", "n_kv_head", "d_model", "d_ff", "vocab_size", "max_seq_len"):
            require_positive_int(**{size: getattr(self, size)})
        if self.own_head_dim is not None:
            require_positive_int(own_head_dim=self.own_head_dim)
        elif self.d_model % self.n_head:
            raise ValueError(f"d_model must be divisible by n_head; got d_model={self.d_model}, n_head={self.n_head}")
        if self.n_head % self.n_kv_head:
            raise ValueError(
                f"n_head must be divisible by n_kv_head; got n_head={self.n_head}, n_kv_head={self.n_kv_head}"
            )
        if self.layout not in ("GPT-2", "Llama", "Qwen3"):
            raise ValueError(f"layout must be 'GPT-2', 'Llama' or 'Qwen3'; got {self.layout!r}")
        require_source(self.source)

    @property
    def head_dim(self) -> int:
        """Width of one head: its own where it has one, else d_model / n_head."""
        return self.d_model // self.n_head if self.own_head_dim is None else self.own_head_dim


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
    """Nothing; raises ValueError unless `config` is laid out as GPT-2.

    Its heads all have keys and values of their own, and split d_model between them.
    """
    if config.layout != "GPT-2":
        raise ValueError(f"layout must be 'GPT-2'; got {config.layout!r} ({config.name})")
    if config.n_kv_head != config.n_head:
        raise ValueError(
            f"n_kv_head must equal n_head in the GPT-2 layout; got n_kv_head={config.n_kv_head}, n_head={config.n_head}"
        )
    if config.n_head * config.head_dim != config.d_model:
        raise ValueError(
            f"head_dim must be d_model / n_head in the GPT-2 layout; got head_dim={config.head_dim}, "
            f"d_model={config.d_model}, n_head={config.n_head}"
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

# Qwen3 4B: 32 heads of 128 are wider together than the 2,560 of the residual stream.
QWEN3_4B = ModelConfig(
    "Qwen3 4B",
    n_layer=36,
    n_head=32,
    n_kv_head=8,
    d_model=2560,
    d_ff=9728,
    vocab_size=151936,
    max_seq_len=40960,
    layout="Qwen3",
    own_head_dim=128,
    source=Source(
        title="Yang et al. 2025, Qwen3 Technical Report",
        where="Table 1: layers and heads; widths, vocabulary, context: config.json, second hand, from copies of it",
        date="2025-05-14",
        url="https://arxiv.org/abs/2505.09388v1",
    ),
)

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
    where="Table 2; accelerators and days in Section 2.4, hours in Table 15; "
    "better than GPT-3 on most benchmarks: abstract",
    date="2023-02-27",
    url="https://arxiv.org/abs/2302.13971v1",
)
LLAMA_13B = PublishedRun("LLaMA-13B", 13.0e9, 1.0e12, _LLAMA_SOURCE, accelerator_hours=135168)
LLAMA_65B = PublishedRun(
    "LLaMA-65B", 65.2e9, 1.4e12, _LLAMA_SOURCE, n_accelerators=2048, accelerator_hours=1022362, days=21
)

# The card prints "15T+" for both sizes of Llama 3.
LLAMA3_8B_RUN = PublishedRun(
    "Llama 3 8B training",
    8.0e9,
    15e12,
    Source(
        "Meta 2024, Llama 3 Model Card",
        "Table of Model Details: parameters and token count; hours in the Table of Carbon Footprint",
        "2024-04-18",
        "https://github.com/meta-llama/llama3/blob/13e795f906b6b46c585f558854e2177f74e49525/MODEL_CARD.md",
    ),
    accelerator_hours=1.3e6,
)
_LLAMA3_TRAINING = replace(
    _LLAMA3_SOURCE, where="Sections 1, 3.2.1 and 3.3.1; utilisation in Section 3.3.2 and Table 4"
)
# "Up to 16K H100 GPUs": Table 4 prints 16,384.
LLAMA3_405B_RUN = PublishedRun(
    "Llama 3.1 405B training", 405e9, 15.6e12, _LLAMA3_TRAINING, training_flops=3.8e25, n_accelerators=16384
)
LLAMA3_405B_LEAST_MFU = Fact(0.38, _LLAMA3_TRAINING)
LLAMA3_405B_MOST_MFU = Fact(0.43, _LLAMA3_TRAINING)

EPOCHS_NEARLY_AS_GOOD_AS_NEW = Fact(
    4,
    Source(
        "Muennighoff et al. 2023, Scaling Data-Constrained Language Models",
        "abstract: negligible changes to loss compared to having unique data",
        "2025-06-28",
        "https://arxiv.org/abs/2305.16264v5",
    ),
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
        "Section 3.2, after Theorem 2: typical values of the on-chip memory M, around 100KB",
        "2022-06-23",
        "https://arxiv.org/abs/2205.14135v2",
    ),
)
DEEPSEEK_V3_BITS = Fact(
    8,
    Source(
        "DeepSeek-AI 2024, DeepSeek-V3 Technical Report",
        "Section 3.3: matrix products in FP8; Section 3.3.3: master weights in FP32",
        "2025-02-18",
        "https://arxiv.org/abs/2412.19437v2",
    ),
)
"""Of the numbers it multiplies in training."""
NVFP4_BITS = Fact(
    4,
    Source(
        "NVIDIA 2025, Pretraining Large Language Models with NVFP4",
        "abstract; Section 4.1: the optimizer's weights and states, and the weight gradients, in FP32",
        "2025-09-29",
        "https://arxiv.org/abs/2509.25149v1",
    ),
)
"""Of the numbers it multiplies in training."""
_SRAM_SOURCE = Source(
    "Dao et al. 2022, FlashAttention",
    "Section 2.1, GPU Memory Hierarchy: SRAM of an A100, 192 KB in each of 108 streaming multiprocessors",
    "2022-06-23",
    "https://arxiv.org/abs/2205.14135v2",
)
A100_SRAM_BYTES, A100_MULTIPROCESSORS = Fact(192 * 1024, _SRAM_SOURCE), Fact(108, _SRAM_SOURCE)
FLASH3_FLOP_PER_S = Fact(
    740e12,
    Source(
        "Shah et al. 2024, FlashAttention-3",
        "abstract: up to 740 TFLOP/s in FP16 on an H100",
        "2024-07-11",
        "https://arxiv.org/abs/2407.08608",
    ),
)
FLASH4_FLOP_PER_S = Fact(
    1613e12,
    Source(
        "Zadouri et al. 2026, FlashAttention-4",
        "abstract: up to 1613 TFLOP/s in BF16 on a B200",
        "2026-03-05",
        "https://arxiv.org/abs/2603.05451v1",
    ),
)
SDPA_FLASH_MAX_HEAD_DIM = Fact(
    256,
    Source(
        "PyTorch source",
        "aten/src/ATen/native/transformers/cuda/sdp_utils.cpp, check_head_dim_size_flash",
        "2026",
        "https://github.com/pytorch/pytorch/blob/main/aten/src/ATen/native/transformers/cuda/sdp_utils.cpp",
    ),
)
