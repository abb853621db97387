"""The GPT you built, with room for a key-value cache.

Attribute names are those of the published GPT-2 weights, so that they load key for key. There is no dropout: this code
generates and measures, and dropout is for training. `generation` makes text with it.
"""

import math
from collections.abc import Mapping

import torch
import torch.nn as nn
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from scaling_lesson.checks import require_number_dtype, require_positive_int, require_tokens
from scaling_lesson.models import ModelConfig, require_gpt2_layout, require_in_context


class KVCache:
    """The keys and values of every position a model has seen: memory reserved once, and written in place.

    keys, values: (n_layer, batch_size, n_kv_head, max_seq_len, head_dim), in the model's dtype and on its device. The
    first `length` positions are written; what stands after them is no number of the model's.
    max_seq_len: positions to reserve; None for all that the model can have.
    Raises ValueError for a batch_size or max_seq_len that is not a positive integer, a max_seq_len above the model's,
    or a dtype no cache is kept in.
    """

    def __init__(
        self,
        config: ModelConfig,
        batch_size: int = 1,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
        max_seq_len: int | None = None,
    ) -> None:
        max_seq_len = config.max_seq_len if max_seq_len is None else max_seq_len
        require_positive_int(batch_size=batch_size)
        require_in_context(config, max_seq_len=max_seq_len)
        require_number_dtype(dtype=dtype)

        shape = (config.n_layer, batch_size, config.n_kv_head, max_seq_len, config.head_dim)
        self.keys = torch.empty(shape, dtype=dtype, device=device)
        self.values = torch.empty(shape, dtype=dtype, device=device)
        self.length = 0

    @property
    def nbytes(self) -> int:
        """Bytes reserved for keys and values, whether written yet or not."""
        return self.keys.nbytes + self.values.nbytes

    def update(
        self, layer: int, k: Float[Tensor, "B n_kv_head T head_dim"], v: Float[Tensor, "B n_kv_head T head_dim"]
    ) -> tuple[Float[Tensor, "B n_kv_head T_k head_dim"], Float[Tensor, "B n_kv_head T_k head_dim"]]:
        """All keys and values of this layer, old then new, as views of the cache, after writing k and v behind the old.

        `length` stays: the model raises it once all layers have written. Raises ValueError when T positions more than
        `length` were not reserved, and writes nothing then.
        """
        start, end, reserved = self.length, self.length + k.size(-2), self.keys.size(-2)
        if end > reserved:
            raise ValueError(f"cache must have room for all positions; got {reserved} reserved and {end} to hold")

        keys, values = self.keys[layer], self.values[layer]
        keys.narrow(2, start, k.size(-2)).copy_(k)
        values.narrow(2, start, v.size(-2)).copy_(v)
        return keys.narrow(2, 0, end), values.narrow(2, 0, end)


def future_mask(n_query: int, n_key: int, offset: int, device: torch.device) -> Bool[Tensor, "n_query n_key"]:
    """True where a key is later than the query: key j, query i, and j > i + offset."""
    return torch.ones(n_query, n_key, dtype=torch.bool, device=device).triu(diagonal=offset + 1)


def attention(
    q: Float[Tensor, "*B T_q head_dim"],
    k: Float[Tensor, "*B T_k head_dim"],
    v: Float[Tensor, "*B T_k head_dim"],
    future: Bool[Tensor, "T_q T_k"] | None = None,
) -> Float[Tensor, "*B T_q head_dim"]:
    """softmax(Q K^T / sqrt(head_dim)) V, as you wrote it: the whole T_q x T_k matrix of scores, then the mask.

    *B: sizes that all share, in the GPT (B, n_head).  future: where a query must not look; None lets it see all keys.
    """
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))
    if future is not None:
        scores = scores.masked_fill(future, -math.inf)
    return F.softmax(scores, dim=-1) @ v


class Linear(nn.Linear):
    """torch's; but on a CPU, one position's product in float32 is shared by all cores, a part of the outputs each.

    A decode step reads every weight for a few rows. torch leaves such a product in float32 to one core, and one fetches
    less than all do.
    """

    def forward(self, x: Float[Tensor, "B T d_in"]) -> Float[Tensor, "B T d_out"]:
        """x W^T + b."""
        cores = torch.get_num_threads()
        if x.size(1) > 1 or x.device.type != "cpu" or x.dtype != torch.float32 or cores == 1:
            return super().forward(x)
        n = next(n for n in range(cores, self.out_features + 1) if self.out_features % n == 0)
        parts = self.weight.view(n, -1, self.in_features) @ x[:, 0].t().expand(n, -1, -1)  # (n, d_out / n, B)
        y = parts.flatten(0, 1).t().unsqueeze(1)
        return y if self.bias is None else y + self.bias


class CausalSelfAttention(nn.Module):
    """Project x to queries, keys and values, attend, project back. `layer` is its row in a cache."""

    def __init__(self, config: ModelConfig, layer: int) -> None:
        super().__init__()
        self.n_head, self.layer = config.n_head, layer
        self.c_attn = Linear(config.d_model, 3 * config.d_model)
        self.c_proj = Linear(config.d_model, config.d_model)

    def forward(
        self, x: Float[Tensor, "B T d_model"], future: Bool[Tensor, "T T_k"] | None, cache: KVCache | None
    ) -> Float[Tensor, "B T d_model"]:
        """From the new positions' x, when a cache holds the earlier ones."""
        B, T, C = x.size()
        # (3, B, n_head, T, head_dim)
        q, k, v = self.c_attn(x).view(B, T, 3, self.n_head, C // self.n_head).permute(2, 0, 3, 1, 4).unbind()
        if cache is not None:
            k, v = cache.update(self.layer, k, v)
        # A decode step masks nothing, so a GPU's fused kernel computes the same formula, and starts only once.
        fused = cache is not None and T == 1 and x.device.type != "cpu"
        attend = F.scaled_dot_product_attention if fused else attention
        y = attend(q, k, v, future)
        return self.c_proj(y.transpose(1, 2).reshape(B, T, C))


class FeedForward(nn.Module):
    """d_model -> d_ff -> d_model, with GPT-2's tanh form of GELU between."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.c_fc = Linear(config.d_model, config.d_ff)
        self.c_proj = Linear(config.d_ff, config.d_model)

    def forward(self, x: Float[Tensor, "B T d_model"]) -> Float[Tensor, "B T d_model"]:
        """Each position by itself."""
        return self.c_proj(F.gelu(self.c_fc(x), approximate="tanh"))


class Block(nn.Module):
    """Attention reads, the feed-forward network writes; each behind a layer norm and beside a residual path."""

    def __init__(self, config: ModelConfig, layer: int) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(config.d_model)
        self.attn = CausalSelfAttention(config, layer)
        self.ln_2 = nn.LayerNorm(config.d_model)
        self.mlp = FeedForward(config)

    def forward(
        self, x: Float[Tensor, "B T d_model"], future: Bool[Tensor, "T T_k"] | None, cache: KVCache | None
    ) -> Float[Tensor, "B T d_model"]:
        """Two steps along the residual path."""
        x = x + self.attn(self.ln_1(x), future, cache)
        return x + self.mlp(self.ln_2(x))


class Transformer(nn.Module):
    """All of a GPT-2 below its logits: the tables of tokens and positions, the blocks, the last layer norm."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.wte = nn.Embedding(config.vocab_size, config.d_model)
        self.wpe = nn.Embedding(config.max_seq_len, config.d_model)
        self.h = nn.ModuleList(Block(config, layer) for layer in range(config.n_layer))
        self.ln_f = nn.LayerNorm(config.d_model)

    def forward(self, tokens: Int64[Tensor, "B T"], cache: KVCache | None) -> Float[Tensor, "B T d_model"]:
        """The residual stream after all blocks; the cache, if there is one, then holds T positions more."""
        T = tokens.size(1)
        past = 0 if cache is None else cache.length
        positions = torch.arange(past, past + T, device=tokens.device)
        # One mask for all layers. A single new position needs none: every key is in its past.
        future = future_mask(T, past + T, past, tokens.device) if T > 1 else None
        x = self.wte(tokens) + self.wpe(positions)
        for block in self.h:
            x = block(x, future, cache)
        if cache is not None:
            cache.length += T
        return self.ln_f(x)


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
        self.transformer = Transformer(config)
        self.lm_head = Linear(config.d_model, config.vocab_size, bias=False)
        self.lm_head.weight = self.transformer.wte.weight
        for name, parameter in self.named_parameters():  # the tied table is listed once
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            elif parameter.ndim == 2:  # the gains of the layer norms stay at 1
                residual_writers = 2 * config.n_layer if name.endswith("c_proj.weight") else 1
                nn.init.normal_(parameter, std=0.02 / math.sqrt(residual_writers))

    def forward(
        self, tokens: Int64[Tensor, "B T"], cache: KVCache | None = None, last_only: bool = False
    ) -> Float[Tensor, "B T_out vocab_size"]:
        """Logits for tokens: at every position, T_out = T, or at the last one only, T_out = 1.

        With a cache, `tokens` are the new ones only: their positions start at cache.length, they attend to every
        cached position, and their own keys and values are added to the cache.
        Raises ValueError when tokens have another shape or dtype, when cached and new positions exceed max_seq_len, or
        when the cache is full or of other sizes, dtype or device. Ids are not read, which would wait for the device:
        torch itself refuses one outside the vocabulary, on the CPU with IndexError.
        """
        require_tokens(tokens=tokens)
        B, T = tokens.size()
        past, limit = 0 if cache is None else cache.length, self.config.max_seq_len
        if past + T > limit:
            raise ValueError(f"cached and new tokens must fit max_seq_len={limit}; got {past} cached and {T} new")
        if cache is not None:
            _require_cache_for(self, B, cache)

        x = self.transformer(tokens, cache)
        # In one piece, or torch would copy the table for each sequence.
        return self.lm_head(x[:, -1:].contiguous() if last_only else x)


def _require_cache_for(model: GPT, batch_size: int, cache: KVCache) -> None:
    n_layer, held_sequences, n_kv_head, _, head_dim = cache.keys.size()
    config, weight = model.config, model.lm_head.weight
    for name, wanted, got in (
        ("n_layer", config.n_layer, n_layer),
        ("batch_size", batch_size, held_sequences),
        ("n_kv_head", config.n_kv_head, n_kv_head),
        ("head_dim", config.head_dim, head_dim),
        ("dtype", weight.dtype, cache.keys.dtype),
        ("device", weight.device, cache.keys.device),
    ):
        if wanted != got:
            raise ValueError(f"cache must have {name}={wanted}, as model and tokens have; got {got}")


def load_gpt2_weights(model: GPT, weights: Mapping[str, Tensor]) -> None:
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
    table = found.get("transformer.wte.weight")
    if table is not None and not torch.equal(found.get("lm_head.weight", table), table):
        wrong.append("lm_head.weight is not transformer.wte.weight")
    if wrong:
        raise ValueError(f"weights must be those of a GPT-2 of this size; got: {', '.join(sorted(wrong))}")
    model.load_state_dict({"lm_head.weight": found["transformer.wte.weight"]} | found)
