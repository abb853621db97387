"""Flash attention: the same function as attention, computed tile by tile, so that the big matrix never exists.

For each tile of queries three things are kept while the tiles of keys and values pass by: m, the largest score seen by
each query; l, the sum of exp(score - m); O, the sum of exp(score - m) x value. When a new tile raises m, what l and O
held was scaled by the old one, and both are multiplied by exp(old m - new m). At the end the output is O / l.
Milakov and Gimelshein 2018, Online normalizer calculation for softmax, Algorithm 3; Dao et al. 2022, FlashAttention,
Algorithm 1; with O divided once at the end and queries in the outer loop: Dao 2023, FlashAttention-2, Algorithm 1.

The lesson's tiles run one after another in Python: they show the arithmetic and the memory, not the speed.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from scaling_lesson.checks import require_bool, require_float_dtype, require_positive_int
from scaling_lesson.gpt import attention, future_mask


def naive_attention(
    q: Float[Tensor, "*B n_query head_dim"],
    k: Float[Tensor, "*B n_key head_dim"],
    v: Float[Tensor, "*B n_key head_dim"],
    causal: bool = False,
) -> Float[Tensor, "*B n_query head_dim"]:
    """`gpt.attention`, with the whole matrix of scores, in q's dtype.

    q, k and v have the same dtype. When causal, the queries are the last n_query of the n_key positions, and each sees
    itself and what is before it.
    Raises ValueError for other shapes, a dtype that is not floating point, or more causal queries than keys.
    """
    _require_attention_inputs(q, k, v, causal)

    n_query, n_key = q.size(-2), k.size(-2)
    return attention(q, k, v, future_mask(n_query, n_key, n_key - n_query, q.device) if causal else None)


@dataclass(frozen=True)
class TileStep:
    """What is kept after one tile, or that the tile was skipped.

    rows, columns: the queries and the keys of the tile.  scores: scaled and masked; None when the tile was skipped
    because all its keys lie in the future.  O: not yet divided by l.  rescale: what l and O were multiplied by; for
    the first tile, which had no m, 0, and always 1 where the rescaling is left out.
    """

    rows: range
    columns: range
    scores: Float[Tensor, "*B n_row n_column"] | None
    rescale: Float[Tensor, "*B n_row"] | None
    m: Float[Tensor, "*B n_row"]
    l: Float[Tensor, "*B n_row"]  # noqa: E741, the paper's letter
    O: Float[Tensor, "*B n_row head_dim"]  # noqa: E741


def online_softmax_steps(
    q: Float[Tensor, "*B n_query head_dim"],
    k: Float[Tensor, "*B n_key head_dim"],
    v: Float[Tensor, "*B n_key head_dim"],
    q_tile: int,
    kv_tile: int,
    causal: bool = False,
    rescale: bool = True,
) -> Iterator[TileStep]:
    """Every tile in turn: for each q_tile queries, all tiles of kv_tile keys and values from the first to the last.

    Shapes and `causal` as in `naive_attention`; the last tile of either kind may be smaller. 16-bit inputs are taken
    to float32 tile by tile, and m, l and O are float32; float32 and float64 stay. (GPU kernels keep m, l and O in
    float32 too, but multiply 16-bit weights with V.)
    rescale=False leaves the multiplication by exp(old m - new m) out, to see what it is for: the result is wrong as
    soon as a later tile raises m.
    Raises ValueError as `naive_attention` does, and for tile sizes that are not positive integers.
    """
    _require_attention_inputs(q, k, v, causal)
    require_positive_int(q_tile=q_tile, kv_tile=kv_tile)
    require_bool(rescale=rescale)

    n_query, n_key, scale = q.size(-2), k.size(-2), 1 / math.sqrt(q.size(-1))
    dtype = torch.promote_types(q.dtype, torch.float32)
    for rows in _tiles(n_query, q_tile):
        q_i = q[..., rows.start : rows.stop, :].to(dtype)
        m = torch.full(q_i.shape[:-1], -math.inf, dtype=dtype, device=q.device)
        l = torch.zeros_like(m)  # noqa: E741
        O = torch.zeros_like(q_i)  # noqa: E741
        for columns in _tiles(n_key, kv_tile):
            if causal and columns.start > rows[-1] + n_key - n_query:
                yield TileStep(rows, columns, None, None, m, l, O)
                continue
            k_j = k[..., columns.start : columns.stop, :].to(dtype)
            v_j = v[..., columns.start : columns.stop, :].to(dtype)
            scores = q_i @ k_j.transpose(-2, -1) * scale
            if causal:
                offset = n_key - n_query + rows.start - columns.start
                scores = scores.masked_fill(future_mask(len(rows), len(columns), offset, q.device), -math.inf)
            new_m = torch.maximum(m, scores.amax(dim=-1))
            factor = torch.exp(m - new_m) if rescale else torch.ones_like(m)
            weights = torch.exp(scores - new_m.unsqueeze(-1))
            l = l * factor + weights.sum(dim=-1)  # noqa: E741
            O = O * factor.unsqueeze(-1) + weights @ v_j  # noqa: E741
            m = new_m
            yield TileStep(rows, columns, scores, factor, m, l, O)


def tiled_attention(
    q: Float[Tensor, "*B n_query head_dim"],
    k: Float[Tensor, "*B n_key head_dim"],
    v: Float[Tensor, "*B n_key head_dim"],
    q_tile: int,
    kv_tile: int,
    causal: bool = False,
    rescale: bool = True,
) -> Float[Tensor, "*B n_query head_dim"]:
    """What `naive_attention` gives, in q's dtype, from the steps of `online_softmax_steps`.

    No tensor with n_query x n_key entries is made; the output is held twice while its tiles are joined. Raises
    ValueError as `online_softmax_steps` does.
    """
    finished = [
        (step.O / step.l.unsqueeze(-1)).to(q.dtype)
        for step in online_softmax_steps(q, k, v, q_tile, kv_tile, causal, rescale)
        if step.columns.stop == k.size(-2)  # the last tile of these queries
    ]
    return torch.cat(finished, dim=-2)


def tile_counts(seq_len: int, q_tile: int, kv_tile: int, causal: bool = False) -> tuple[int, int]:
    """(tiles computed, tiles skipped) when seq_len queries meet seq_len keys; only a causal run skips.

    Raises ValueError for a size that is not a positive integer.
    """
    require_positive_int(seq_len=seq_len, q_tile=q_tile, kv_tile=kv_tile)
    require_bool(causal=causal)

    tiles = [(rows, columns) for rows in _tiles(seq_len, q_tile) for columns in _tiles(seq_len, kv_tile)]
    skipped = sum(causal and columns.start > rows[-1] for rows, columns in tiles)
    return len(tiles) - skipped, skipped


def matrix_bytes(rows: int, columns: int, dtype: torch.dtype, heads: int = 1) -> int:
    """Bytes of a rows x columns matrix of scores for each of `heads` heads: the whole matrix, or one tile of it.

    Raises ValueError for a size that is not a positive integer, or a dtype that is not float16, bfloat16 or float32;
    the functions below raise so for their own arguments.
    """
    require_positive_int(rows=rows, columns=columns, heads=heads)
    require_float_dtype(dtype=dtype)

    return heads * rows * columns * dtype.itemsize


def statistics_bytes(seq_len: int, heads: int = 1) -> int:
    """Bytes flash attention keeps for the backward pass in place of the matrix: one float32, m + log l, for each query.

    Dao 2023, FlashAttention-2, Section 3.1.1.
    """
    require_positive_int(seq_len=seq_len, heads=heads)

    return seq_len * heads * torch.float32.itemsize


def compulsory_traffic_bytes(seq_len: int, head_dim: int, dtype: torch.dtype) -> int:
    """The least bytes between memory and chip for one head: Q, K and V read once, the output written once."""
    require_positive_int(seq_len=seq_len, head_dim=head_dim)

    return matrix_bytes(seq_len, 4 * head_dim, dtype)


def standard_traffic_bytes(seq_len: int, head_dim: int, dtype: torch.dtype) -> int:
    """Bytes for one head when the matrix is kept in memory: the compulsory ones, and the matrix four times.

    The scores are written, read for the softmax, its result written, and that read for the product with V: Theta(N d +
    N^2), Dao et al. 2022, Theorem 2.
    """
    return compulsory_traffic_bytes(seq_len, head_dim, dtype) + 4 * matrix_bytes(seq_len, seq_len, dtype)


def flash1_traffic_bytes(seq_len: int, head_dim: int, sram_bytes: int, dtype: torch.dtype) -> int:
    """Bytes for one head with keys and values in the outer loop: Dao et al. 2022, Algorithm 1, lines 5 to 15.

    sram_bytes hold M numbers of dtype; a tile has ceil(M / 4 head_dim) keys. K and V are read once; for every tile of
    them Q, O, l and m are read, and O, l and m written back. All are counted in dtype. Setting O, l and m to their
    first values (line 2) is not counted.
    """
    require_positive_int(seq_len=seq_len, head_dim=head_dim, sram_bytes=sram_bytes)
    require_float_dtype(dtype=dtype)

    n_numbers = sram_bytes // dtype.itemsize
    kv_tile = max(1, math.ceil(n_numbers / (4 * head_dim)))
    passes = math.ceil(seq_len / kv_tile)
    return matrix_bytes(seq_len, 2 * head_dim + passes * (3 * head_dim + 4), dtype)


def flash2_traffic_bytes(
    seq_len: int, head_dim: int, q_tile: int, kv_tile: int, dtype: torch.dtype, causal: bool = False
) -> int:
    """Bytes for one head with queries in the outer loop: Dao 2023, FlashAttention-2, Algorithm 1, forward.

    Q is read and the output written once, with one float32 statistic for each query; for every tile of queries the
    tiles of K and V that are not skipped are read. Keys and values that a cache on the chip still holds are counted
    again, so real kernels cause less.
    """
    require_positive_int(seq_len=seq_len, head_dim=head_dim, q_tile=q_tile, kv_tile=kv_tile)
    require_float_dtype(dtype=dtype)
    require_bool(causal=causal)

    tiles = [(rows, columns) for rows in _tiles(seq_len, q_tile) for columns in _tiles(seq_len, kv_tile)]
    keys_read = sum(len(columns) for rows, columns in tiles if not causal or columns.start <= rows[-1])
    numbers = 2 * head_dim * (seq_len + keys_read)
    return numbers * dtype.itemsize + statistics_bytes(seq_len)


def _tiles(length: int, tile: int) -> list[range]:
    """0..length-1 in ranges of `tile`; the last may be shorter."""
    return [range(start, min(start + tile, length)) for start in range(0, length, tile)]


def _require_attention_inputs(q: Tensor, k: Tensor, v: Tensor, causal: bool) -> None:
    for name, tensor in (("q", q), ("k", k), ("v", v)):
        if not isinstance(tensor, Tensor) or not tensor.is_floating_point():
            raise ValueError(f"{name} must be a floating-point tensor; got {getattr(tensor, 'dtype', tensor)!r}")
        if tensor.ndim < 2 or tensor.numel() == 0:
            raise ValueError(f"{name} must have shape (..., seq_len, head_dim), none 0; got {tuple(tensor.shape)}")
        if tensor.dtype != q.dtype:
            raise ValueError(f"{name} must have the dtype of q, {q.dtype}; got {tensor.dtype}")
    if k.shape[:-2] != q.shape[:-2] or k.size(-1) != q.size(-1):
        raise ValueError(f"k must have q's shape but for seq_len; got q {tuple(q.shape)}, k {tuple(k.shape)}")
    if v.shape != k.shape:
        raise ValueError(f"v must have k's shape, {tuple(k.shape)}; got {tuple(v.shape)}")
    require_bool(causal=causal)
    if causal and q.size(-2) > k.size(-2):
        raise ValueError(f"causal must be False for more queries than keys; got {q.size(-2)} and {k.size(-2)}")
