"""Model sizes: what a GPT is made of, and the published models the lesson measures.

Names are the field's. GPT-2's own code writes `n_embd` for what is `d_model` here, and `n_ctx` for `max_seq_len`.
Every published size stands with the place it was printed.
"""

from dataclasses import dataclass

from scaling_lesson.checks import positive_int


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

    def __str__(self) -> str:
        return f"{self.title}, {self.where} ({self.date})"


@dataclass(frozen=True)
class ModelConfig:
    """The sizes of one decoder-only transformer.

    n_layer: blocks.  n_head: query heads in a layer.  n_kv_head: heads that have keys and values of their own; fewer
    than n_head when several query heads share one (grouped-query attention).  d_model: width of the residual stream.
    d_ff: width inside the feed-forward network.  vocab_size: tokens.  max_seq_len: longest context, in positions.
    source: where these sizes are printed.

    Raises ValueError when a size is not a positive integer, when the heads do not split d_model evenly, or when the
    key-value heads do not split the query heads evenly.
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

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ValueError(f"name must be a non-empty string; got {self.name!r}")
        for size in ("n_layer", "n_head", "n_kv_head", "d_model", "d_ff", "vocab_size", "max_seq_len"):
            positive_int(size, getattr(self, size))
        if self.d_model % self.n_head:
            raise ValueError(f"d_model must be divisible by n_head; got d_model={self.d_model}, n_head={self.n_head}")
        if self.n_head % self.n_kv_head:
            raise ValueError(
                f"n_head must be divisible by n_kv_head; got n_head={self.n_head}, n_kv_head={self.n_kv_head}"
            )
        if not isinstance(self.source, Source):
            raise ValueError(f"source must be a Source; got {self.source!r}")

    @property
    def head_dim(self) -> int:
        """Width of one head: d_model / n_head."""
        return self.d_model // self.n_head


GPT2_SMALL = ModelConfig(
    name="GPT-2 small",
    n_layer=12,
    n_head=12,
    n_kv_head=12,
    d_model=768,
    d_ff=3072,
    vocab_size=50257,
    max_seq_len=1024,
    # Table 2 prints layers and d_model, Section 2.3 the vocabulary and the context. The paper names neither the heads
    # nor d_ff: those are in the released model.py. Its "117M parameters" is a miscount; `parameter_count` gives 124M.
    source=Source(
        title="Radford et al. 2019, Language Models are Unsupervised Multitask Learners",
        where="Table 2 and Section 2.3; heads and d_ff in the released src/model.py",
        date="2019-02-14",
        url="https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf",
    ),
)

LLAMA3_70B = ModelConfig(
    name="Llama 3 70B",
    n_layer=80,
    n_head=64,
    n_kv_head=8,
    d_model=8192,
    d_ff=28672,
    vocab_size=128256,
    max_seq_len=8192,
    # Table 3 prints the vocabulary as 128,000; the released model has 256 special tokens more. The first edition of
    # that table (July 2024) misprinted d_ff as 12,288; the released weights have 28,672, as the later table does.
    source=Source(
        title="Grattafiori et al. 2024, The Llama 3 Herd of Models",
        where="Table 3; vocabulary and context in the released config.json of Meta-Llama-3-70B",
        date="2024-11-23",
        url="https://arxiv.org/abs/2407.21783v3",
    ),
)


def require_gpt2_attention(config: ModelConfig) -> None:
    """Nothing; raises ValueError when `config` shares key-value heads, which the GPT-2 architecture does not."""
    if config.n_kv_head != config.n_head:
        raise ValueError(
            "n_kv_head must equal n_head in the GPT-2 architecture; "
            f"got n_kv_head={config.n_kv_head}, n_head={config.n_head}"
        )


def require_in_context(name: str, seq_len: int, config: ModelConfig) -> None:
    """Nothing; raises ValueError naming `name` unless seq_len is a positive integer up to config.max_seq_len."""
    if positive_int(name, seq_len) > config.max_seq_len:
        raise ValueError(f"{name} must be at most max_seq_len={config.max_seq_len}; got {seq_len}")


def parameters_by_component(config: ModelConfig) -> dict[str, int]:
    """Parameters of a GPT-2 of this size, by component; the four values sum to `parameter_count(config)`.

    embeddings: the token table, vocab_size x d_model, and the position table, max_seq_len x d_model. The output
    projection is the token table used again (tied), so it adds nothing.
    attention: in each layer, d_model -> 3 d_model for Q, K and V, and d_model -> d_model, both with biases.
    feed_forward: in each layer, d_model -> d_ff and d_ff -> d_model, both with biases.
    layer_norm: a gain and a bias of d_model, twice a layer and once at the end.

    Raises ValueError when n_kv_head differs from n_head. Llama's layout (three feed-forward matrices, no biases,
    no tied table) is another one: do not count a Llama with this.
    """
    require_gpt2_attention(config)
    d_model, d_ff = config.d_model, config.d_ff
    attention = (d_model * 3 * d_model + 3 * d_model) + (d_model * d_model + d_model)
    feed_forward = (d_model * d_ff + d_ff) + (d_ff * d_model + d_model)
    return {
        "embeddings": (config.vocab_size + config.max_seq_len) * d_model,
        "attention": config.n_layer * attention,
        "feed_forward": config.n_layer * feed_forward,
        "layer_norm": (2 * config.n_layer + 1) * 2 * d_model,
    }


def parameter_count(config: ModelConfig) -> int:
    """Parameters of a GPT-2 of this size, tied embeddings counted once: 124,439,808 for GPT2_SMALL.

    Raises ValueError when n_kv_head differs from n_head.
    """
    return sum(parameters_by_component(config).values())
