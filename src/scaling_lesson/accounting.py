"""Where a model's parameters and FLOPs are: both counted by component, in parts that sum to the whole.

A multiply-add is 2 FLOPs, so a matrix costs 2 FLOPs for each of its parameters and each position that goes through it.
"""

from scaling_lesson.models import ModelConfig, require_positions


def _matrices_of_a_layer(config: ModelConfig) -> tuple[int, int]:
    """Parameters of one layer's matrices, without biases: those of attention, and those of the feed-forward network."""
    qkv_width = (config.n_head + 2 * config.n_kv_head) * config.head_dim
    heads_width = config.n_head * config.head_dim
    feed_forward_matrices = 2 if config.layout == "GPT-2" else 3
    return config.d_model * (qkv_width + heads_width), feed_forward_matrices * config.d_model * config.d_ff


def parameters_by_component(config: ModelConfig) -> dict[str, int]:
    """Parameters of a model of this size, by component; the values sum to `parameter_count(config)`.

    embeddings: the token table, vocab_size x d_model. GPT-2 adds a position table, max_seq_len x d_model, and uses the
    token table again for the logits (tied), which adds nothing. Llama rotates queries and keys instead of adding
    positions, and has a second table for the logits. Qwen3 has one.
    attention: in each layer d_model -> (n_head + 2 n_kv_head) head_dim for Q, K and V, and n_head head_dim -> d_model.
    feed_forward: in each layer d_model -> d_ff and d_ff -> d_model; in Llama a third matrix, d_model -> d_ff, gates
    the first (Touvron et al. 2023, LLaMA, Section 2.2).
    norm: a gain of d_model twice a layer and once at the end. In GPT-2 a bias beside each, and one on every matrix.
    In Qwen3 two gains of head_dim more in each layer, for queries and for keys.
    """
    d_model = config.d_model
    is_gpt2 = config.layout == "GPT-2"
    attention, feed_forward = _matrices_of_a_layer(config)
    if is_gpt2:  # a bias for each output: Q, K, V and what follows them; the wide layer and the narrow one
        attention += (config.n_head + 2 * config.n_kv_head) * config.head_dim + d_model
        feed_forward += config.d_ff + d_model
    table = config.vocab_size * d_model
    further_table = {"GPT-2": config.max_seq_len * d_model, "Llama": table, "Qwen3": 0}[config.layout]
    norm = (2 * config.n_layer + 1) * d_model * (2 if is_gpt2 else 1)
    if config.layout == "Qwen3":
        norm += 2 * config.n_layer * config.head_dim
    return {
        "embeddings": table + further_table,
        "attention": config.n_layer * attention,
        "feed_forward": config.n_layer * feed_forward,
        "norm": norm,
    }


def parameter_count(config: ModelConfig) -> int:
    """Parameters of a model of this size, tied tables counted once: 124,439,808 for GPT2_SMALL."""
    return sum(parameters_by_component(config).values())


def forward_flops_by_component(config: ModelConfig, new_positions: int, key_positions: int) -> dict[str, int]:
    """FLOPs of one forward pass of one sequence, by component; the values sum to `forward_flops`.

    new_positions go through every matrix, and their queries meet key_positions keys (their own among them).
    attention_projections: the matrices for Q, K and V and the one after attention.  attention: Q K^T and the weights
    times V, 2 x 2 key_positions n_head head_dim for each new position and layer; the full rectangle new_positions x
    key_positions, since `gpt.attention` computes it whole and masks afterwards; sharing key-value heads does not
    change it.
    feed_forward: its two or three matrices.  logits: d_model x vocab_size, which your forward pass computes at every
    position. Not counted: biases, softmax, norms, activation functions, rotations, table look-ups.
    Raises ValueError for a length that is not a positive integer, new_positions above key_positions, or key_positions
    above max_seq_len.
    """
    require_positions(new_positions, key_positions, config)
    per_layer = new_positions * config.n_layer
    attention, feed_forward = _matrices_of_a_layer(config)
    return {
        "attention_projections": per_layer * 2 * attention,
        "attention": per_layer * 2 * 2 * key_positions * config.n_head * config.head_dim,
        "feed_forward": per_layer * 2 * feed_forward,
        "logits": new_positions * 2 * config.d_model * config.vocab_size,
    }


def forward_flops(config: ModelConfig, new_positions: int, key_positions: int) -> int:
    """FLOPs of one forward pass of one sequence, counted as `forward_flops_by_component` does; raises as it does."""
    return sum(forward_flops_by_component(config, new_positions, key_positions).values())
