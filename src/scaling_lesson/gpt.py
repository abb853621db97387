"""The GPT you built, with room for a key-value cache.

Attribute names are those of the published GPT-2 weights, so that they load key for key. There is no dropout: this code
generates and measures, and dropout is for training. `generation` makes text with it.
"""

import math
from collections.abc import Mapping

import torch
import torch.nn as nn
import torch.nn.functional as F

from scaling_lesson.checks import positive_int, token_ids
from scaling_lesson.models import ModelConfig, require_gpt2_layout


class KVCache:
    """The keys and values of every position a model has seen, one pair of tensors a layer, growing as it generates.

    keys[layer], values[layer]: (B, n_head, length, head_dim), in the dtype the model computed them in; None before
    the first forward pass. New ones are concatenated, so `nbytes` is exactly what the positions need. Concatenating
    copies the cache at every step; serving code reserves max_seq_len positions at once and writes in place.
    """

    def __init__(self, n_layer: int) -> None:
        self.keys: list[torch.Tensor | None] = [None] * positive_int("n_layer", n_layer)
        self.values: list[torch.Tensor | None] = [None] * n_layer

    @property
    def length(self) -> int:
        """Token positions held. Read between forward passes, when all layers hold the same."""
        return 0 if self.keys[-1] is None else self.keys[-1].size(-2)

    @property
    def nbytes(self) -> int:
        """Bytes of all keys and values held."""
        return sum(kept.nbytes for kept in self.keys + self.values if kept is not None)

    def extend(self, layer: int, k: torch.Tensor, v: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """All keys and values of this layer, old then new, after appending k and v (B, n_head, T, head_dim)."""
        if self.keys[layer] is not None:
            k = torch.cat([self.keys[layer], k], dim=-2)
            v = torch.cat([self.values[layer], v], dim=-2)
        self.keys[layer], self.values[layer] = k, v
        return k, v


class Head(nn.Module):
    """Causal scaled dot-product attention, every head at once: softmax(Q K^T / sqrt(head_dim)) V. No parameters."""

    def forward(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        """(B, n_head, T_q, head_dim) from q of that shape and k, v of (B, n_head, T_k, head_dim).

        The queries are the last T_q of the T_k positions. The whole T_q x T_k rectangle of scores is computed and
        its future part then masked, as you wrote it.
        """
        T_q, T_k = q.size(-2), k.size(-2)
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))
        # Query i stands at position T_k - T_q + i, so its future starts one column further right. With one query
        # (a cached step) nothing is masked: every key is in its past.
        future = torch.ones(T_q, T_k, dtype=torch.bool, device=q.device).triu(diagonal=T_k - T_q + 1)
        return F.softmax(scores.masked_fill(future, float("-inf")), dim=-1) @ v


class CausalSelfAttention(nn.Module):
    """Project x to queries, keys and values, attend, project back. `layer` is its row in a cache."""

    def __init__(self, config: ModelConfig, layer: int) -> None:
        super().__init__()
        self.n_head, self.layer = config.n_head, layer
        self.c_attn = nn.Linear(config.d_model, 3 * config.d_model)
        self.c_proj = nn.Linear(config.d_model, config.d_model)
        self.head = Head()

    def forward(self, x: torch.Tensor, cache: KVCache | None = None) -> torch.Tensor:
        """(B, T, d_model) from x (B, T, d_model): the new positions only, when a cache holds the earlier ones."""
        B, T, C = x.size()
        q, k, v = (
            part.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)  # (B, n_head, T, head_dim)
            for part in self.c_attn(x).split(C, dim=2)
        )
        if cache is not None:
            k, v = cache.extend(self.layer, k, v)
        y = self.head(q, k, v)
        return self.c_proj(y.transpose(1, 2).reshape(B, T, C))


class FeedForward(nn.Module):
    """d_model -> d_ff -> d_model, with GPT-2's tanh form of GELU between."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.c_fc = nn.Linear(config.d_model, config.d_ff)
        self.c_proj = nn.Linear(config.d_ff, config.d_model)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, T, d_model) from x (B, T, d_model), each position by itself."""
        return self.c_proj(F.gelu(self.c_fc(x), approximate="tanh"))


class Block(nn.Module):
    """Attention reads, the feed-forward network writes; each behind a layer norm and beside a residual path."""

    def __init__(self, config: ModelConfig, layer: int) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(config.d_model)
        self.attn = CausalSelfAttention(config, layer)
        self.ln_2 = nn.LayerNorm(config.d_model)
        self.mlp = FeedForward(config)

    def forward(self, x: torch.Tensor, cache: KVCache | None = None) -> torch.Tensor:
        """(B, T, d_model) from x (B, T, d_model)."""
        x = x + self.attn(self.ln_1(x), cache)
        return x + self.mlp(self.ln_2(x))


class GPT(nn.Module):
    """A GPT-2: learned absolute positions, pre-norm blocks, biases, and one table for tokens in and logits out.

    Weights start normal with deviation 0.02, those that write to the residual stream divided by the square root of
    the number of layers that do (Radford et al. 2019, Section 2.3), from torch's current random stream.
    Raises ValueError when config has another layout than GPT-2's.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        require_gpt2_layout(config)
        self.config = config
        self.transformer = nn.ModuleDict(
            {
                "wte": nn.Embedding(config.vocab_size, config.d_model),
                "wpe": nn.Embedding(config.max_seq_len, config.d_model),
                "h": nn.ModuleList(Block(config, layer) for layer in range(config.n_layer)),
                "ln_f": nn.LayerNorm(config.d_model),
            }
        )
        self.lm_head = nn.Linear(config.d_model, config.vocab_size, bias=False)
        self.lm_head.weight = self.transformer.wte.weight
        for name, parameter in self.named_parameters():  # the tied table is listed once
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            elif parameter.ndim == 2:  # the gains of the layer norms stay at 1
                residual_writers = 2 * config.n_layer if name.endswith("c_proj.weight") else 1
                nn.init.normal_(parameter, std=0.02 / math.sqrt(residual_writers))

    def forward(self, tokens: torch.Tensor, cache: KVCache | None = None) -> torch.Tensor:
        """Logits (B, T, vocab_size) for tokens (B, T), int64.

        With a cache, `tokens` are the new ones only: their positions start at cache.length, they attend to every
        cached position, and their own keys and values are added to the cache.
        Raises ValueError when tokens have another shape, dtype or range, when cached and new positions exceed
        max_seq_len, or when the cache was filled by another number of sequences or layers.
        """
        token_ids("tokens", tokens, self.config.vocab_size)
        B, T = tokens.size()
        past = 0 if cache is None else cache.length
        if cache is not None and len(cache.keys) != self.config.n_layer:
            raise ValueError(f"cache must have n_layer={self.config.n_layer} layers; got {len(cache.keys)}")
        if past and cache.keys[0].size(0) != B:
            raise ValueError(f"cache must hold as many sequences as tokens, {B}; got {cache.keys[0].size(0)}")
        if past + T > self.config.max_seq_len:
            limit = self.config.max_seq_len
            raise ValueError(f"cached and new tokens must fit max_seq_len={limit}; got {past} cached and {T} new")
        positions = torch.arange(past, past + T, device=tokens.device)
        x = self.transformer.wte(tokens) + self.transformer.wpe(positions)
        for block in self.transformer.h:
            x = block(x, cache)
        return self.lm_head(self.transformer.ln_f(x))


def load_gpt2_weights(model: GPT, weights: Mapping[str, torch.Tensor]) -> None:
    """Copies published GPT-2 weights into `model`, key for key.

    The published linear layers hold their matrices as (in, out), the transpose of nn.Linear's, so c_attn, c_fc and
    c_proj weights are turned. Keys may stand with or without "transformer." before them, as both are published. The
    causal masks some files carry (attn.bias, attn.masked_bias) are left out; lm_head.weight may be missing, because it
    is the token table. Tensors of other dtypes are converted to the model's.
    Raises ValueError naming every key that is missing, unknown, given twice or of the wrong shape, and changes nothing
    then.
    """
    state = model.state_dict()
    found, repeated = {}, []
    for key, tensor in weights.items():
        if key.endswith((".attn.bias", ".attn.masked_bias")):
            continue
        name = key if key.startswith(("transformer.", "lm_head.")) else f"transformer.{key}"
        is_turned = name.endswith(("c_attn.weight", "c_fc.weight", "c_proj.weight"))
        if name in found:
            repeated.append(f"{name} stands twice")
        found[name] = tensor.t() if is_turned and tensor.ndim == 2 else tensor
    wrong = repeated + [f"{name} is missing" for name in state.keys() - found.keys() - {"lm_head.weight"}]
    wrong += [f"{name} is unknown" for name in found.keys() - state.keys()]
    for name in found.keys() & state.keys():
        if found[name].shape != state[name].shape:
            wrong.append(f"{name} has shape {tuple(found[name].shape)}, not {tuple(state[name].shape)}")
    if "lm_head.weight" in found and "transformer.wte.weight" in found:
        if not torch.equal(found["lm_head.weight"], found["transformer.wte.weight"]):
            wrong.append("lm_head.weight is not transformer.wte.weight")
    if wrong:
        raise ValueError(f"weights must be those of a GPT-2 of this size; got: {', '.join(sorted(wrong))}")
    model.load_state_dict({"lm_head.weight": found["transformer.wte.weight"]} | found)
