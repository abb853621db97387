# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Recompute every number yourself
#
# You do not need this notebook: the lesson is complete without it. It is for the reader who would rather check than
# believe. It finds the lesson's numbers a second time, with torch and plain arithmetic, from published inputs that
# are typed in here with their sources. Nothing of the lesson's own code is used. Wherever there is another road to a
# number, it takes that one: it simulates where the lesson has a formula, and has a formula where the lesson measures.
#
# To run it, put the site's `numbers.json` beside it, or name that file: `python recompute.py path/to/numbers.json`.
# It works in Jupyter and as a script. That file is read at the end, when everything is recomputed. The site runs it
# too, whenever it is built, and is not published when two numbers differ.

# %%
import inspect
import json
import math
import os
import sys
from bisect import bisect
from fractions import Fraction
from pathlib import Path

import torch
import torch.nn.functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

torch.manual_seed(0)
torch.set_num_threads(1)

# %% [markdown]
# One function notes what was recomputed, under the page and the name where the site has it. At the end, whole numbers
# and texts must be equal. So must other numbers, unless a call says how far apart the two may be, as a share of the
# number. Where the lesson itself says that another machine may differ, its own tolerance holds.

# %%
LAST_BITS = 1e-12  # both routes round to float64, at other steps
SEARCHED = 1e-6  # a search finds a flat minimum no more precisely

recomputed = []  # (page, name, value, how far apart)


def check(page, within=0.0, **values):
    for name, mine in values.items():
        recomputed.append((page, name, mine, within))
        whole = not isinstance(mine, Fraction) or mine.denominator == 1
        print(f"{name}: {mine if whole else float(mine)}")


# %% [markdown]
# ## The model
#
# The lesson counts parameters and FLOPs component by component. Here GPT-2 is built instead, on torch's `meta`
# device, where tensors have shapes and no numbers. Its parameters are counted by asking the tensors, and its FLOPs by
# torch's own counter, which watches the matrix multiplications go by.

# %%
# Radford et al. 2019, Table 2 and Section 2.3; heads: released code
N_LAYER, N_HEAD, D_MODEL, VOCAB, CONTEXT = 12, 12, 768, 50257, 1024
D_FF, HEAD_DIM = 4 * D_MODEL, D_MODEL // N_HEAD


def attention(q, k, v):
    """Causal; the queries are the last of the positions."""
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))
    future = torch.ones_like(scores, dtype=torch.bool)
    future = future.triu(k.size(-2) - q.size(-2) + 1)
    return scores.masked_fill(future, -math.inf).softmax(-1) @ v


class TinyGPT(torch.nn.Module):
    def __init__(self, n_layer, n_head, d_model, vocab, context):
        super().__init__()
        self.n_head = n_head
        self.token = torch.nn.Parameter(torch.randn(vocab, d_model))
        self.position = torch.nn.Parameter(torch.randn(context, d_model))
        # torch's own block, of which only the parameters are used
        self.blocks = torch.nn.ModuleList(
            torch.nn.TransformerEncoderLayer(d_model, n_head, 4 * d_model, dropout=0, norm_first=True)
            for _ in range(n_layer)
        )
        self.norm = torch.nn.LayerNorm(d_model)
        self.positions = 0  # that went through

    def forward(self, tokens, cache=None):
        """Logits. cache: {layer: (k, v)} of the positions before."""
        past = cache[0][0].size(2) if cache else 0
        B, T = tokens.shape
        self.positions += T
        x = self.token[tokens] + self.position[past : past + T]
        for layer, block in enumerate(self.blocks):
            inside = block.self_attn
            qkv = F.linear(block.norm1(x), inside.in_proj_weight, inside.in_proj_bias)
            q, k, v = (part.view(B, T, self.n_head, -1).transpose(1, 2) for part in qkv.chunk(3, dim=-1))
            if cache is not None:
                if layer in cache:
                    k = torch.cat([cache[layer][0], k], dim=2)
                    v = torch.cat([cache[layer][1], v], dim=2)
                cache[layer] = k, v
            y = attention(q, k, v).transpose(1, 2).reshape(B, T, -1)
            x = x + inside.out_proj(y)
            h = block.linear1(block.norm2(x))
            x = x + block.linear2(F.gelu(h, approximate="tanh"))
        return self.norm(x) @ self.token.T


with torch.device("meta"):
    gpt2 = TinyGPT(N_LAYER, N_HEAD, D_MODEL, VOCAB, CONTEXT)
n_parameters = sum(p.numel() for p in gpt2.parameters())


def measured_flops(n_query, n_key):
    """Of a forward pass of GPT-2 over n_query positions of n_key."""
    past = torch.empty(1, N_HEAD, n_key - n_query, HEAD_DIM, device="meta")
    cache = dict.fromkeys(range(N_LAYER), (past, past))
    tokens = torch.zeros(1, n_query, dtype=torch.int64, device="meta")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        gpt2(tokens, cache)
    return counter.get_total_flops()


# FLOPs are a n + b n k for n queries and k keys: two points tell all.
per_pair = measured_flops(1, 2) - measured_flops(1, 1)
per_position = measured_flops(1, 1) - per_pair


def flops(n_query, n_key):
    return n_query * per_position + n_query * n_key * per_pair


assert flops(1024, 1024) == measured_flops(1024, 1024)
check("mixed-precision", n_parameters=n_parameters)

# %% [markdown]
# ## Where does the time go?
#
# Six FLOPs for a parameter and a token: torch counts them in a forward and a backward pass through two matrices.
# Years follow in exact fractions, and GPUs are added one by one until they suffice.

# %%
# Brown et al. 2020, Table 2.1; FLOPs as they count them, Table D.1
GPT3_N, GPT3_D, GPT3_FLOPS = 175 * 10**9, 300 * 10**9, 314 * 10**21
# NVIDIA A100 80 GB datasheet (2022-05), column SXM: dense 16-bit and
# float32 peaks, memory bandwidth
A100_PEAK, A100_PEAK_FP32, A100_BANDWIDTH = 312e12, 19.5e12, 2.039e12
T4_PEAK = 65e12  # NVIDIA Turing whitepaper, Table 5
V100_SPEED = 28e12  # Li 2020, Lambda Labs: what a V100 keeps up
# Touvron et al. 2023, LLaMA, Section 2.4
LLAMA_GPUS, LLAMA_DAYS = 2048, 21
LLAMA_HOURS = 1022362  # Table 15
LLAMA_65B = 652 * 10**8, 14 * 10**11  # Table 2: N, D
GOOD_SHARE, T4_SHARE = Fraction(40, 100), Fraction(30, 100)
A100_MEMORY = 80 * 10**9  # the same datasheet, in bytes

chain = torch.nn.Sequential(torch.nn.Linear(8, 24, bias=False), torch.nn.Linear(24, 4, bias=False))
batch_of_tokens = torch.ones(7, 8, requires_grad=True)
with FlopCounterMode(display=False) as counter:
    chain(batch_of_tokens).sum().backward()
weights_in_chain = sum(w.numel() for w in chain.parameters())
six = Fraction(counter.get_total_flops(), 7 * weights_in_chain)

check(
    "scaling-and-efficiency",
    gpt3_parameters=GPT3_N,
    gpt3_tokens=GPT3_D,
    llama_gpus=LLAMA_GPUS,
    llama_days=LLAMA_DAYS,
    v100_speed=V100_SPEED,
    a100_peak=A100_PEAK,
    a100_memory=A100_MEMORY,
)
check(
    "scaling-and-efficiency",
    within=LAST_BITS,
    gpt3_flops=GPT3_FLOPS,
    six_n_d=six * GPT3_N * GPT3_D,
    share_a100=GOOD_SHARE,
    share_t4=T4_SHARE,
)

YEAR, MONTH = Fraction(36525, 100) * 86400, 30 * 86400  # seconds
a100_speed = Fraction(A100_PEAK) * GOOD_SHARE
check(
    "scaling-and-efficiency",
    within=LAST_BITS,
    years_a100=GPT3_FLOPS / a100_speed / YEAR,
    years_v100=GPT3_FLOPS / Fraction(V100_SPEED) / YEAR,
    years_t4=GPT3_FLOPS / (Fraction(T4_PEAK) * T4_SHARE) / YEAR,
)
gpus = 1
while gpus * a100_speed * MONTH < GPT3_FLOPS:
    gpus += 1
check("scaling-and-efficiency", gpus_for_a_month=gpus)
# in float32: a weight, its gradient, and what Adam keeps for it
one = torch.nn.Parameter(torch.ones(1))
one.grad = torch.ones(1)
adam = torch.optim.Adam([one])
adam.step()
averages = [kept for name, kept in adam.state[one].items() if name != "step"]
kept_bytes = sum(kept.nbytes for kept in (one, one.grad, *averages))
check("scaling-and-efficiency", state_bytes=GPT3_N * kept_bytes)
at_the_peak = LLAMA_HOURS * 3600 * Fraction(A100_PEAK)
check("scaling-and-efficiency", within=LAST_BITS, llama_share=six * LLAMA_65B[0] * LLAMA_65B[1] / at_the_peak)

# %% [markdown]
# ## Compute-bound or memory-bound
#
# **Elementwise work.** The lesson states how many FLOPs an element costs. Here each operation is written out in
# torch's elementary steps, and a counter watches: every step that goes over all elements is a FLOP for each of them.


# %%
class Steps(TorchDispatchMode):
    """How many steps go over a whole tensor of `size` elements."""

    def __init__(self, size):
        super().__init__()
        self.size, self.count = size, 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        sizes = [t.numel() for t in (*args, result) if isinstance(t, torch.Tensor)]
        self.count += max(sizes) >= self.size
        return result


def written_layer_norm(x, gain, bias):
    centred = x - x.sum(-1, keepdim=True) / x.size(-1)
    variance = (centred * centred).sum(-1, keepdim=True) / x.size(-1)
    return centred / (variance + 1e-5).sqrt() * gain + bias


def written_softmax(x):
    above = (x - x.amax(-1, keepdim=True)).exp()
    return above / above.sum(-1, keepdim=True)


def written_gelu(x):
    inner = 0.044715 * x * x * x
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + inner)))


def written_gelu_erf(x):
    return 0.5 * x * (1 + torch.erf(x / math.sqrt(2)))


def flops_each(function, *more):
    x = torch.randn(11, 13)
    with Steps(x.numel()) as counter:
        result = function(x, *more)
    return counter.count, result, x


gain, bias = torch.rand(13), torch.rand(13)
norm_each, result, x = flops_each(written_layer_norm, gain, bias)
assert torch.allclose(result, F.layer_norm(x, (13,), gain, bias), atol=1e-5)
softmax_each, result, x = flops_each(written_softmax)
assert torch.allclose(result, x.softmax(-1))
gelu_each, result, x = flops_each(written_gelu)
assert torch.allclose(result, F.gelu(x, approximate="tanh"), atol=1e-6)
gelu_erf_each, result, x = flops_each(written_gelu_erf)
assert torch.allclose(result, F.gelu(x), atol=1e-6)


# %%
def elementwise(flops, tensors, *shape, dtype=torch.float16):
    """(FLOPs, bytes) where `tensors` of that shape are moved."""
    one = torch.empty(shape, dtype=dtype, device="meta")
    return flops * one.numel(), tensors * one.nbytes


def product(rows, inner, columns, batch=1):
    """(FLOPs, bytes) of a matrix product, as torch counts them."""
    a = torch.empty(batch, rows, inner, dtype=torch.float16, device="meta")
    b = torch.empty(batch, inner, columns, dtype=torch.float16, device="meta")
    with FlopCounterMode(display=False) as counter:
        c = a @ b
    return counter.get_total_flops(), a.nbytes + b.nbytes + c.nbytes


def forward_pass(batch, new, keys, fused):
    """{operation: (FLOPs, bytes, how often)} of GPT-2."""
    rows, heads = batch * new, batch * N_HEAD
    qk = product(new, HEAD_DIM, keys, heads)
    pv = product(new, keys, HEAD_DIM, heads)
    weights = elementwise(softmax_each, 2, heads, new, keys)
    # in one piece, each product's side of the matrix stays on the chip
    one_piece = (qk[0] + pv[0], qk[1] + pv[1] - weights[1])
    pieces = {"attention": one_piece} if fused else {"scores": qk, "softmax": weights, "weighted values": pv}
    each_layer = {
        "qkv": product(rows, D_MODEL, 3 * D_MODEL),
        **pieces,
        "projection": product(rows, D_MODEL, D_MODEL),
        "up": product(rows, D_MODEL, D_FF),
        "GELU": elementwise(gelu_each, 2, rows, D_FF),
        "down": product(rows, D_FF, D_MODEL),
    }
    return {
        "embedding": (*elementwise(1, 3, rows, D_MODEL), 1),
        "layer norm": (*elementwise(norm_each, 2, rows, D_MODEL), 2 * N_LAYER + 1),
        "residual add": (*elementwise(1, 3, rows, D_MODEL), 2 * N_LAYER),
        "logits": (*product(rows, D_MODEL, VOCAB), 1),
        **{name: (*cost, N_LAYER) for name, cost in each_layer.items()},
    }


def sums(operations):
    """FLOPs and bytes of all."""
    return [sum(cost[i] * cost[2] for cost in operations.values()) for i in (0, 1)]


def least(operations, peak=A100_PEAK, bandwidth=A100_BANDWIDTH):
    """Seconds, when nothing overlaps between operations."""
    return sum(runs * max(flops / peak, moved / bandwidth) for flops, moved, runs in operations.values())


whole = forward_pass(1, CONTEXT, CONTEXT, fused=False)
token = forward_pass(1, 1, CONTEXT, fused=True)
intensity = {name: cost[0] / cost[1] for name, cost in whole.items()}
check("roofline", full=CONTEXT, d_model=D_MODEL, head_dim=HEAD_DIM)
check(
    "roofline",
    layer_norm=intensity["layer norm"],
    softmax=intensity["softmax"],
    gelu=intensity["GELU"],
    gelu_erf=gelu_erf_each / (2 * 2),
    projection=intensity["projection"],
)


# %% [markdown]
# **Trips of the scores.** The reader's attention is written out, and a counter watches how often a tensor of the
# scores' size is read or written.


# %%
class Trips(TorchDispatchMode):
    """How often a floating-point tensor of `size` elements is read or written; views move nothing."""

    def __init__(self, size):
        super().__init__()
        self.size, self.count = size, 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        moved = [t for t in (*args, result) if isinstance(t, torch.Tensor) and t.is_floating_point()]
        if not function.is_view and "unsafe_view" not in str(function):
            self.count += sum(t.numel() == self.size for t in moved)
        return result


q, k, v = torch.ones(3, 1, 1, 13, 5)
unseen = torch.ones(13, 13, dtype=torch.bool).triu(1)
with Trips(13 * 13) as as_written:
    ((q @ k.transpose(-2, -1)) / math.sqrt(5)).masked_fill(unseen, -math.inf).softmax(-1) @ v
with Trips(13 * 13) as three_kernels:
    (q @ k.transpose(-2, -1)).softmax(-1) @ v
assert (as_written.count, three_kernels.count) == (8, 4)

# one head: its two products, with Q, K, V and the output moved once, and the trips of the scores
products = [product(CONTEXT, HEAD_DIM, CONTEXT), product(CONTEXT, CONTEXT, HEAD_DIM)]
scores_bytes = elementwise(0, 1, CONTEXT, CONTEXT)[1]
ends = sum(m for _, m in products) - 2 * scores_bytes
eight, four = (sum(f for f, _ in products) / (ends + at.count * scores_bytes) for at in (as_written, three_kernels))
check("roofline", attention_8=eight, attention=four)
check("roofline", matrix_bytes=N_HEAD * scores_bytes)

token_flops, token_bytes = sums(token)
check("roofline", token_intensity=token_flops / token_bytes)
# the forward pass does the FLOPs counted on the model as a whole
products = ("qkv", "scores", "weighted values", "projection", "up", "down", "logits")
assert flops(CONTEXT, CONTEXT) == sums({n: whole[n] for n in products})[0]

# %% [markdown]
# **Two clocks**, with the ridge found by halving an interval until the clocks agree, and the first compute-bound
# matrix from its formula where the lesson searches.

# %%
numbers = 100_000_000
add_flops, add_bytes = elementwise(1, 3, numbers, dtype=torch.float32)
math_s, memory_s = add_flops / A100_PEAK_FP32, add_bytes / A100_BANDWIDTH
# NVIDIA A100 80 GB datasheet: TF32, dense. NVIDIA Ampere In-Depth: L2
check("roofline", vector_peak=A100_PEAK_FP32, bandwidth=A100_BANDWIDTH, tf32_peak=156e12, l2_bytes=40 * 2**20)
# exponentials a clock in a multiprocessor: Zadouri et al. 2026
check("roofline", per_clock=16)
check("roofline", within=LAST_BITS, slower=memory_s / math_s, reached_share=math_s / memory_s)
check("roofline", add_fp32=Fraction(add_flops, add_bytes), add_fp16=Fraction(*elementwise(1, 3, numbers)))


def ridge_of(peak, bandwidth):
    """The FLOPs for one byte that take as long as that byte."""
    low, high = 0.0, 1e6
    while low < (middle := (low + high) / 2) < high:
        if middle / peak < 1 / bandwidth:
            low = middle
        else:
            high = middle
    return high


ridge = ridge_of(A100_PEAK, A100_BANDWIDTH)
# NVIDIA H100 whitepaper (2022), Tables 1 and 3, column SXM5
ridge_h100 = ridge_of(989.4e12, 3.35e12)
# NVIDIA DGX B200 datasheet: 64 TB/s for eight. PyTorch ao 4002: 7680
# bits at 3996 MHz, two transfers a clock, printed as 7.672 TB/s
check("roofline", b200_printed=64e12 / 8, b200_reported=round(7680 // 8 * 2 * 3996e6, -9))
check(
    "roofline",
    within=LAST_BITS,
    ridge=ridge,
    ridge_h100=ridge_h100,
    vector_ridge=ridge_of(A100_PEAK_FP32, A100_BANDWIDTH),
)
check("roofline", first_n=math.ceil(3 * ridge))


# %%
def that_wait(operations):
    return {name: cost for name, cost in operations.items() if cost[0] / cost[1] < ridge}


def with_more_trips(batch):
    """The reader's own: division and mask are passes of their own."""
    one_pass = elementwise(1, 2, batch * N_HEAD, CONTEXT, CONTEXT)
    more = (as_written.count - three_kernels.count) // 2
    return forward_pass(batch, CONTEXT, CONTEXT, fused=False) | {"division, mask": (*one_pass, more * N_LAYER)}


written, fused = with_more_trips(1), forward_pass(1, CONTEXT, CONTEXT, fused=True)


def timed(operations):
    """The least seconds, the share of them that waits for memory, and the share of the peak that is reached."""
    seconds = least(operations)
    return seconds, least(that_wait(operations)) / seconds, sums(operations)[0] / seconds / A100_PEAK


seconds, waiting, share = timed(written)
check("roofline", within=LAST_BITS, written_s=seconds, written_waiting=waiting, written_share=share)
seconds, waiting, share = timed(whole)
check("roofline", within=LAST_BITS, forward_s=seconds, waiting_time=waiting, forward_share=share)
seconds, waiting, share = timed(fused)
check("roofline", within=LAST_BITS, fused_s=seconds, fused_time=waiting, fused_share=share)
users = 32
check("roofline", users=users)
check(
    "roofline",
    within=LAST_BITS,
    written_work=sums(that_wait(written))[0] / sums(written)[0],
    batched_s=least(with_more_trips(users)) / users,
    forward_cores=least(whole) / least(whole, peak=2 * A100_PEAK),
    written_cores=least(written) / least(written, peak=2 * A100_PEAK),
    written_bandwidth=least(written) / least(written, bandwidth=2 * A100_BANDWIDTH),
)

# %% [markdown]
# **Launches.** How long one takes is an assumption of the lesson. Where the forward pass hides behind them is found
# by halving, where the lesson counts upwards.

# %%
LAUNCH = 5e-6  # seconds, assumed
# Everything in a decoded token waits for memory, so bytes tell the time.
assert max(f / m for f, m, _ in token.values()) < ridge
kernels = sum(runs for _, _, runs in token.values())
launches_s = kernels * LAUNCH
token_s = token_bytes / A100_BANDWIDTH
weights_s = 2 * n_parameters / A100_BANDWIDTH
check("roofline", launch_s=LAUNCH)
check(
    "roofline",
    within=LAST_BITS,
    busy=weights_s / launches_s,
    written_launches_s=LAUNCH * sum(runs for _, _, runs in written.values()),
)
low, high = 1, CONTEXT
while high - low > 1:
    middle = (low + high) // 2
    hides = least(forward_pass(1, middle, middle, fused=True)) <= launches_s
    low, high = (middle, high) if hides else (low, middle)
check("roofline", hidden=low)
check("roofline", ridge_users=math.floor(ridge), free_users=math.floor(launches_s * A100_PEAK / (2 * n_parameters)))
# one row for each user: all but the products and attention grow with them
batch_s = least(forward_pass(users, 1, CONTEXT, fused=True))
check("roofline", within=LAST_BITS, batch_ratio=batch_s / token_s, over_floor=batch_s / launches_s)

# %% [markdown]
# **The practice problems**, with GPT-2 XL built on the `meta` device too.

# %%
# NVIDIA Turing whitepaper, Table 5 and Appendix A: the T4
T4_PEAK_FP32, T4_BANDWIDTH = 8.1e12, 0.320e12
check("roofline", t4_vector=T4_PEAK_FP32, t4_peak=T4_PEAK, t4_bandwidth=T4_BANDWIDTH)
check(
    "roofline",
    within=LAST_BITS,
    t4_ridge_fp32=ridge_of(T4_PEAK_FP32, T4_BANDWIDTH),
    t4_ridge=ridge_of(T4_PEAK, T4_BANDWIDTH),
    projection_fp32=intensity["projection"] * torch.float16.itemsize / torch.float32.itemsize,
    t4_gain=T4_PEAK / T4_PEAK_FP32,
)
seven = 2 * 7 * 10**9
check("roofline", seven_bytes=seven)
check(
    "roofline",
    within=LAST_BITS,
    seven_s=seven / A100_BANDWIDTH,
    seven_a100=A100_BANDWIDTH / seven,
    seven_t4=T4_BANDWIDTH / seven,
)
# read: weight, gradient, averages; written: all but the gradient
moved_bytes = 2 * kept_bytes - one.grad.nbytes
check("roofline", adam_bytes=moved_bytes, adam_total=moved_bytes * n_parameters)
check(
    "roofline",
    within=LAST_BITS,
    adam_s=moved_bytes * n_parameters / A100_BANDWIDTH,
    adam_intensity=Fraction(12, moved_bytes),
)
XL_LAYERS = 48  # Radford et al. 2019, Table 2; 25 heads in its hparams
with torch.device("meta"):
    xl = sum(p.numel() for p in TinyGPT(XL_LAYERS, 25, 1600, VOCAB, CONTEXT).parameters())
xl_kernels = kernels + (XL_LAYERS - N_LAYER) * 10
check("roofline", xl_layers=XL_LAYERS, xl_parameters=xl, xl_bytes=2 * xl, xl_kernels=xl_kernels)
xl_s = 2 * xl / A100_BANDWIDTH
check("roofline", within=LAST_BITS, xl_s=xl_s, xl_launches_s=xl_kernels * LAUNCH, xl_even=xl_s / xl_kernels)

# %% [markdown]
# ## Mixed precision
#
# **Formats.** The lesson asks torch for the limits of each format. A 16-bit format is small enough to look at every
# bit pattern there is. float32 has too many; its numbers follow from its two field widths.

# %%
patterns = torch.arange(2**16).to(torch.uint16)


def every_number(dtype):
    """All finite numbers above zero, in order, exact in float64."""
    values = patterns.view(dtype).double()
    return values[values.isfinite() & (values > 0)].sort().values


def limits(numbers):
    """largest, smallest normal, smallest, gap after one, fields"""
    gaps = numbers.diff()
    in_octave = int(((numbers >= 1) & (numbers < 2)).sum())
    fraction_bits = in_octave.bit_length() - 1
    # below the smallest normal number the gaps no longer shrink
    normal = numbers[in_octave - 1]
    assert gaps[in_octave] == gaps[0] < gaps[2 * in_octave]
    return {
        "largest": numbers[-1].item(),
        "normal": normal.item(),
        "smallest": numbers[0].item(),
        "gap": (numbers[numbers > 1][0] - 1).item(),
        "fraction": fraction_bits,
        "exponent": 15 - fraction_bits,
    }


fp16 = limits(every_number(torch.float16))
bf16 = limits(every_number(torch.bfloat16))
# IEEE 754, binary32: 8 exponent bits, 23 fraction bits, bias 127
fp32 = {"largest": (2 - 2.0**-23) * 2.0**127, "normal": 2.0**-126, "smallest": 2.0 ** (-126 - 23), "gap": 2.0**-23}

check(
    "mixed-precision",
    fp16_exponent=fp16["exponent"],
    fp16_fraction=fp16["fraction"],
    bf16_exponent=bf16["exponent"],
    bf16_fraction=bf16["fraction"],
)
check("mixed-precision", fp32_largest=fp32["largest"], bf16_largest=bf16["largest"], fp16_largest=fp16["largest"])
check("mixed-precision", fp32_smallest=fp32["smallest"], bf16_smallest=bf16["smallest"], fp16_smallest=fp16["smallest"])
check("mixed-precision", fp32_gap=fp32["gap"], bf16_gap=bf16["gap"], fp16_gap=fp16["gap"])

# %% [markdown]
# **Rounding.** The lesson casts with torch. Here every number is an exact fraction, and rounding is four lines: find
# the gap at the number's size, and round to a multiple of it. Python's `round` takes a tie to the even neighbour, as
# the formats do.

# %%
FIELDS = {"float16": (10, -14), "bfloat16": (7, -126), "float32": (23, -126)}


def rounded(x, name):
    """x to the nearest number of the format, while that is finite."""
    fraction_bits, least = FIELDS[name]
    exponent = max(math.frexp(x)[1] - 1, least)  # 2^e <= |x| < 2^(e+1)
    gap = Fraction(2) ** (exponent - fraction_bits)
    return round(Fraction(x) / gap) * gap


def run(start, step, name, times):
    """The sum after each of `times` additions, every one rounded."""
    sums, step = [rounded(start, name)], rounded(step, name)
    for _ in range(times):
        sums.append(rounded(sums[-1] + step, name))
    return sums


def stall(step, name):
    """(sum, additions) where adding the step changes nothing more."""
    total, step, adds = Fraction(0), rounded(step, name), 0
    while (more := rounded(total + step, name)) != total:
        total, adds = more, adds + 1
    return total, adds


weight, update, small, increment = 1.0, 0.0001, 1e-8, 1e-3
check("mixed-precision", weight=weight, update=update, small_gradient=small, increment=increment)

check("mixed-precision", counter_bf16=stall(1.0, "bfloat16")[0], counter_fp16=stall(1.0, "float16")[0])
# the first whole number float32 lacks is one above 2 to the power of
# its fraction bits and one more
first_lost = next(2**bits + 1 for bits in range(64) if rounded(2**bits + 1, "float32") != 2**bits + 1)
check("mixed-precision", fp32_integers=first_lost - 1)
# the number that a counter in bfloat16 cannot come to
stays = float(stall(1.0, "bfloat16")[0])
check("mixed-precision", after_the_last=next(x for x in every_number(torch.bfloat16).tolist() if x > stays))

check("mixed-precision", small_in_fp16=rounded(small, "float16"), small_in_bf16=rounded(small, "bfloat16"))
check(
    "mixed-precision",
    updated_fp16=run(weight, update, "float16", 1)[1],
    updated_bf16=run(weight, update, "bfloat16", 1)[1],
    updated_fp32=run(weight, update, "float32", 1)[1],
)

# %% [markdown]
# **Thresholds.** The lesson halves a gap. Here the smallest number that moves a weight of one is searched for among
# all numbers of the format; the threshold is the number just below it, which is a tie.

# %%
thresholds = {}
for name, dtype in (("float16", torch.float16), ("bfloat16", torch.bfloat16)):
    numbers = every_number(dtype).tolist()
    moves = bisect(numbers, False, key=lambda x, name=name: rounded(1 + Fraction(x), name) > 1)
    thresholds[name] = numbers[moves - 1]

check("mixed-precision", threshold_fp16=thresholds["float16"], threshold_bf16=thresholds["bfloat16"])
check(
    "mixed-precision",
    within=LAST_BITS,
    short_bf16=Fraction(thresholds["bfloat16"]) / Fraction(update),
)
# up to a weight of two the gap stays as it is, so beside the weight
# half of it shrinks to this
sure = Fraction(thresholds["bfloat16"]) / 2
check("mixed-precision", sure_to_stall=sure)

# %%
many, shown = 1000, 100
check("mixed-precision", many=many, shown_updates=shown)
masters = run(weight, update, "float32", many)
check(
    "mixed-precision",
    stuck_fp16=run(weight, update, "float16", many)[many],
    stuck_bf16=run(weight, update, "bfloat16", many)[many],
    first_master=masters[1],
)

copies = {name: [rounded(m, name) for m in masters[: shown + 1]] for name in ("float16", "bfloat16")}
moved_at = {name: next(n for n, c in enumerate(values) if c != values[0]) for name, values in copies.items()}
check(
    "mixed-precision",
    fp16_moves_at=moved_at["float16"],
    bf16_moves_at=moved_at["bfloat16"],
    first_bf16_copy=copies["bfloat16"][moved_at["bfloat16"]],
)

# DeepSeek-AI 2024, Section 3.3; NVIDIA 2025, NVFP4, abstract
check("mixed-precision", deepseek_bits=8, nvfp4_bits=4)

fp16_stall, fp16_adds = stall(increment, "float16")
bf16_stall, bf16_adds = stall(increment, "bfloat16")
check("mixed-precision", fp16_stall=fp16_stall, fp16_adds=fp16_adds, bf16_stall=bf16_stall, bf16_adds=bf16_adds)

# %% [markdown]
# **autocast**, asked through hooks on a model of three sizes that differ.

# %%
seen = {}
model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 5))


def watch(module, inputs, output):
    seen["forward"] = output.dtype
    output.register_hook(lambda grad: seen.update(backward=grad.dtype))


model[0].register_forward_hook(watch)
with torch.autocast("cpu", dtype=torch.bfloat16):
    loss = F.cross_entropy(model(torch.ones(7, 2)), torch.zeros(7, dtype=torch.int64))
loss.backward()


def name_of(dtype):
    return str(dtype).split(".")[1]


check(
    "mixed-precision",
    weights_dtype=name_of(model[0].weight.dtype),
    grad_dtype=name_of(model[0].weight.grad.dtype),
    inside_forward=name_of(seen["forward"]),
    inside_backward=name_of(seen["backward"]),
    loss_dtype=name_of(loss.dtype),
)

# %% [markdown]
# **Loss scale.** The lesson sends a gradient through a graph. Here the same road is walked by rounding: to float32
# where the loss is taken, times the scale, to the format of the graph, and divided again.

# %%
settings = inspect.signature(torch.amp.GradScaler).parameters
scale = settings["init_scale"].default
check("mixed-precision", loss_scale=scale)


def arrives(gradient, name, scale=1):
    sent = rounded(rounded(gradient, "float32") * Fraction(scale), name)
    return rounded(sent / Fraction(scale), "float32")


# NVIDIA Turing whitepaper, Table 5: a T4's 16-bit and float32 peaks
check("mixed-precision", t4_float16=T4_PEAK, t4_float32=8.1e12)

# One step of AdamW on a weight of one, in float16 throughout: a small
# gradient's square and the constant that guards the division are zero.
gradient = rounded(update, "float16")
mean_square = rounded(rounded(1 - 0.999, "float16") * gradient**2, "float16")
guard = rounded(1e-8, "float16")
after_adam = "finite" if mean_square + guard else "-inf"
check("mixed-precision", after_adam=after_adam)

# %% [markdown]
# **Practice.** By search and by simulation, where the lesson has half a gap.

# %%
loss_sum, loss_adds = stall(3.0, "bfloat16")
gaps = every_number(torch.bfloat16)
below, above = (gaps[gaps >= start][:2].diff().item() for start in (float(loss_sum) / 2, float(loss_sum)))
check("mixed-precision", loss_each=3.0, loss_sum=loss_sum, loss_adds=loss_adds, gap_below=below, gap_above=above)
check("mixed-precision", ones_sum=rounded(sum(Fraction(1) for _ in range(4096)), "bfloat16"))

usual, rates = 0.02, (6e-4, 6e-5)
kept = float(rounded(usual, "bfloat16"))
weight_gap = (gaps[gaps > kept][0] - kept).item()
half = weight_gap / 2
assert rounded(kept + rates[0], "bfloat16") > kept == rounded(kept + rates[1], "bfloat16")
check("mixed-precision", usual_weight=usual, first_rate=rates[0], last_rate=rates[1], octave=1 / 64)
check("mixed-precision", weight_gap=weight_gap, weight_half_gap=half)
check("mixed-precision", within=LAST_BITS, first_times=rates[0] / half, last_times=rates[1] / half)

_, beta2 = inspect.signature(torch.optim.AdamW).parameters["betas"].default
normal = gaps[gaps >= bf16["normal"]].tolist()
# all octaves are alike but the first, below which the gaps no longer shrink
size, smaller = 2 ** bf16["fraction"], {}
for beta in (beta2, 0.95):
    first, other = (
        sum(rounded(v * Fraction(beta), "bfloat16") < v for v in octave)
        for octave in (normal[:size], normal[size : 2 * size])
    )
    smaller[beta] = first + other * (len(normal) // size - 1)
check("mixed-precision", beta2=beta2, other_beta2=0.95, bf16_numbers=len(normal))
check("mixed-precision", decaying=smaller[beta2], decaying_faster=smaller[0.95])
check(
    "mixed-precision",
    within=LAST_BITS,
    decay=1 - Fraction("0.999"),
    half_gap_below=(1 - max(x for x in normal if x < 1)) / 2,
)

faint = 1e-11
faint_scale = next(2**power for power in range(64) if arrives(faint, "float16", 2**power))
check("mixed-precision", faint=faint, faint_scale=faint_scale, half_smallest=fp16["smallest"] / 2)
check("mixed-precision", faint_arrives=arrives(faint, "float16", faint_scale))
check(
    "mixed-precision",
    within=LAST_BITS,
    faint_ratio=fp16["smallest"] / 2 / faint,
    faint_limit=fp16["largest"] / faint_scale,
)

# %% [markdown]
# **Memory.** The lesson adds up a table of bytes. Here one step of Adam is made, and its tensors are asked. For
# bfloat16 throughout, the tensors are made by hand. What autograd keeps, the lesson measures; here it is a list of
# what each backward pass needs.


# %%
def bytes_after_a_step(autocast):
    layer = torch.nn.Linear(10, 10, bias=False)
    optimizer = torch.optim.Adam(layer.parameters())
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
        layer(torch.ones(1, 10)).float().sum().backward()
    optimizer.step()
    state = optimizer.state[layer.weight]
    held = [layer.weight, layer.weight.grad, state["exp_avg"], state["exp_avg_sq"]]
    return sum(t.nbytes for t in held) // layer.weight.numel()


in_bfloat16 = [torch.zeros(1, dtype=torch.bfloat16) for _ in ("weight", "gradient", "average", "of squares")]
each, each_in_16 = bytes_after_a_step(True), sum(t.nbytes for t in in_bfloat16)
A100_MEMORY = 80 * 10**9  # the datasheet's
check(
    "mixed-precision",
    float32_bytes=bytes_after_a_step(False),
    mixed_bytes=each,
    bfloat16_bytes=each_in_16,
    state_bytes=each * n_parameters,
    gpt3_parameters=GPT3_N,
    gpt3_state=each * GPT3_N,
    a100_memory=A100_MEMORY,
    fitting=A100_MEMORY // each,
    seven_state=7 * 10**9 * each,
    seven_bf16=7 * 10**9 * each_in_16,
)


def kept_for_backward(layers, heads, width, vocab, batch, length, wide, narrow):
    """Bytes. wide: of a number in the residual stream, in float32.
    narrow: of a number inside a layer."""
    rows = batch * length
    x = rows * width  # numbers in an activation
    norm = wide * x + 2 * 4 * rows  # input, mean, deviation
    matrix = batch * heads * length**2  # attention weights
    attend = narrow * (x + 3 * x + matrix + x)  # in; q, k, v; ...; out
    forward = narrow * (x + 4 * x + 4 * x)  # in, GELU's in and out
    layer = norm + attend + norm + forward
    mask = length**2  # one byte each, and one mask for all layers
    logits = norm + narrow * x
    loss = 4 * rows * vocab + 4  # log-probabilities, weight
    return layers * layer + mask + logits + loss + 8 * rows + 8 * length  # token and position ids


kept_fp32 = kept_for_backward(2, 4, 256, 256, 1, 128, wide=4, narrow=4)
kept_bf16 = kept_for_backward(2, 4, 256, 256, 1, 128, wide=4, narrow=2)
check("mixed-precision", kept_fp32=kept_fp32, kept_bf16=kept_bf16, kept_share=kept_bf16 / kept_fp32)

# %% [markdown]
# ## KV caching
#
# **Generating.** The lesson's formulas say how many positions each step processes. Here a small model generates, both
# ways, and counts; and a loop over lengths counts once more, positions and query-key pairs.

# %%
P, T = 10, 100
small_gpt = TinyGPT(n_layer=3, n_head=2, d_model=32, vocab=97, context=128)
prompt = torch.randint(97, (1, P))


@torch.no_grad()
def generate(model, prompt, steps, cached):
    """The tokens, and the positions each step processed."""
    tokens, new, cache, processed = prompt, prompt, {}, []
    for _ in range(steps):
        before = model.positions
        logits = model(new, cache) if cached else model(tokens)
        processed.append(model.positions - before)
        new = logits[:, -1:].argmax(-1)
        tokens = torch.cat([tokens, new], dim=1)
    return tokens, processed


plain, without = generate(small_gpt, prompt, T, cached=False)
quick, with_cache = generate(small_gpt, prompt, T, cached=True)
check("kv-cache", prompt_len=P, new_tokens=T, late_step=T, same_tokens=torch.equal(plain, quick))
check("kv-cache", step_1=without[0], step_2=without[1], cached_step_2=with_cache[1])
check("kv-cache", last_without=without[-1], kept_columns=7 - 1)  # seven positions are drawn
check("kv-cache", same_counts=without == list(range(P, P + T)) and sum(with_cache) == P + T - 1)
# all but the newest position were there a step before
check("kv-cache", again_2=without[1] - 1, again_3=without[2] - 1, again_late=without[T - 1] - 1)

first, third = {}, {}
with torch.no_grad():
    small_gpt(plain[:, :P], first)
    small_gpt(plain[:, : P + 2], third)
apart = max((new[:, :, :P] - old).abs().max().item() for layer in first for old, new in zip(first[layer], third[layer]))
assert apart < 1e-5
check("kv-cache", apart=apart)


# %%
def count(prompt, steps, cached):
    """Positions, query-key pairs and GPT-2's FLOPs, one step a row."""
    rows = []
    for length in range(prompt, prompt + steps):
        queries = 1 if cached and rows else length
        pairs = sum(range(length - queries + 1, length + 1))
        rows.append((queries, pairs, flops(queries, length)))
    return rows


def totals(prompt, steps):
    """Those, summed: without a cache, with one."""
    return [[sum(column) for column in zip(*count(prompt, steps, cached))] for cached in (False, True)]


(positions_without, _, work), (positions_with, _, less_work) = totals(P, T)
check(
    "kv-cache",
    positions_without=positions_without,
    positions_with=positions_with,
    fewer_positions=positions_without / positions_with,
    fewer_flops=work / less_work,
)

(from_one, pairs, _), (from_one_cached, pairs_cached, _) = totals(1, 100)
(longer, _, _), (longer_cached, _, _) = totals(1, 1000)
check(
    "kv-cache",
    from_one_without=from_one,
    from_one_with=from_one_cached,
    pairs_without=pairs,
    pairs_with=pairs_cached,
    longer_without=longer,
    longer_with=longer_cached,
)
check(
    "kv-cache",
    from_one_ratio=from_one / from_one_cached,
    pairs_ratio=pairs / pairs_cached,
    longer_ratio=longer / longer_cached,
)

# %% [markdown]
# **Time.** Work and traffic of the step that fills the context, and the two speeds of an accelerator. The traffic is
# what the model's and the cache's tensors hold, in 16-bit numbers.

# %%
check("kv-cache", full=CONTEXT, a100_peak=A100_PEAK, a100_bandwidth=A100_BANDWIDTH)

steps = count(1, CONTEXT, cached=False)
cached_steps = count(1, CONTEXT, cached=True)
check(
    "kv-cache",
    last_step_ratio=steps[-1][2] / cached_steps[-1][2],
    last_to_first=steps[-1][2] / steps[0][2],
    run_ratio=sum(s[2] for s in steps) / sum(s[2] for s in cached_steps),
)


def cache_bytes(n_layer, n_kv_head, head_dim, length, batch=1):
    shape = (n_layer, 2, batch, n_kv_head, length, head_dim)  # 2: K and V
    return torch.empty(shape, dtype=torch.float16, device="meta").nbytes


weights = {name: p.half() for name, p in gpt2.named_parameters()}
weights_bytes = sum(p.nbytes for p in weights.values())
one_row = weights["position"][:1].numel() * 2
traffic_without = weights_bytes
traffic_with = weights_bytes - weights["position"].nbytes + one_row + cache_bytes(N_LAYER, N_HEAD, HEAD_DIM, CONTEXT)
check("kv-cache", traffic_without=traffic_without, traffic_with=traffic_with)
check("kv-cache", work_without=steps[-1][2], work_with=cached_steps[-1][2])

times = {}
for way, work, traffic in (("without", steps[-1][2], traffic_without), ("with", cached_steps[-1][2], traffic_with)):
    times[way] = sorted([(work / A100_PEAK, "compute"), (traffic / A100_BANDWIDTH, "memory")])[-1]
check(
    "kv-cache",
    time_without=times["without"][0],
    time_with=times["with"][0],
    bound_with=times["with"][1],
)
check("kv-cache", within=LAST_BITS, time_ratio=times["without"][0] / times["with"][0])


def prefill_flop_per_byte(length):
    """All weights but the unused rows of the position table, and the keys and values written."""
    unused = (CONTEXT - length) * one_row
    return flops(length, length) / (weights_bytes - unused + cache_bytes(N_LAYER, N_HEAD, HEAD_DIM, length))


below, turns = 1, CONTEXT  # halved until the two are neighbours
while turns - below > 1:
    middle = (below + turns) // 2
    below, turns = (below, middle) if prefill_flop_per_byte(middle) >= ridge else (middle, turns)
check("kv-cache", prefill_intensity=prefill_flop_per_byte(P), prefill_turns=turns)

a_layer = ["norm", "QKV", "attention", "projection", "sum", "norm", "up", "GELU", "down", "sum"]
launches = len(["embedding", *(N_LAYER * a_layer), "norm", "logits"])
check("kv-cache", within=LAST_BITS, launches=launches, launch_even=times["without"][0] / launches)

# %% [markdown]
# **Memory.** The lesson multiplies sizes. Here the cache is a tensor of that shape, and says how large it is.

# %%
check(
    "kv-cache",
    n_layer=N_LAYER,
    n_head=N_HEAD,
    head_dim=HEAD_DIM,
    bytes_per_number=torch.finfo(torch.float16).bits // 8,
    k_and_v=len("KV"),
)
one_sequence = cache_bytes(N_LAYER, N_HEAD, HEAD_DIM, CONTEXT)
check(
    "kv-cache",
    one_sequence=one_sequence,
    batch_of_32=cache_bytes(N_LAYER, N_HEAD, HEAD_DIM, CONTEXT, 32),
    per_token=cache_bytes(N_LAYER, N_HEAD, HEAD_DIM, 1),
)
contexts = 0
while contexts * one_sequence <= weights_bytes:
    contexts += 1
check("kv-cache", weights_bytes=weights_bytes, contexts=contexts, contexts_exact=weights_bytes / one_sequence)

# Grattafiori et al. 2024, Table 3: layers, heads, KV heads, width
layers_70b, heads_70b, kv_heads_70b, width_70b = 80, 64, 8, 8192
head_dim_70b = width_70b // heads_70b
shared = cache_bytes(layers_70b, kv_heads_70b, head_dim_70b, 1)
unshared = cache_bytes(layers_70b, heads_70b, head_dim_70b, 1)
check(
    "kv-cache",
    llama_layers=layers_70b,
    llama_head_dim=head_dim_70b,
    query_heads=heads_70b,
    kv_heads=kv_heads_70b,
    shared=shared,
    unshared=unshared,
    sharing_saves=unshared / shared,
)

# Yang et al. 2025, Table 1, and the config.json of Qwen3-4B: layers, heads, KV heads, width, head_dim
layers_qwen, heads_qwen, kv_heads_qwen, width_qwen, head_dim_qwen = 36, 32, 8, 2560, 128
check(
    "kv-cache",
    qwen_layers=layers_qwen,
    qwen_heads=heads_qwen,
    qwen_kv_heads=kv_heads_qwen,
    qwen_width=width_qwen,
    qwen_head_dim=head_dim_qwen,
    qwen_divided=width_qwen // heads_qwen,
    qwen_per_token=cache_bytes(layers_qwen, kv_heads_qwen, head_dim_qwen, 1),
    qwen_wrong=cache_bytes(layers_qwen, kv_heads_qwen, width_qwen // heads_qwen, 1),
)

# %% [markdown]
# **Four queries on twelve keys.** Each mask is counted pair by pair, and the right one compared with the whole pass,
# whose attention is the one written out at the top of this notebook.

# %%
right = [(i, j) for i in range(8, 12) for j in range(12) if j <= i]
causal = [(i, j) for i in range(4) for j in range(12) if j <= i]
check("kv-cache", four_right=len(right), four_causal=len(causal), four_all=4 * 12)
q, k, v = torch.randn(3, 12, 8, dtype=torch.float64)
mask = torch.zeros(4, 12, dtype=torch.bool)
for i, j in right:
    mask[i - 8, j] = True
four = F.scaled_dot_product_attention(q[None, 8:], k[None], v[None], attn_mask=mask)[0]
check("kv-cache", four_end=torch.allclose(four, attention(q, k, v)[8:]))


# %% [markdown]
# **A sum in bfloat16**, whose numbers have eight significant bits. Python's `round` takes halves to the even neighbour,
# as the format does.


# %%
def spacing(x):
    return 2.0 ** (math.floor(math.log2(x)) - 7)


def rounded(x):
    return round(x / spacing(x)) * spacing(x)


check("kv-cache", from_left=rounded(rounded(rounded(256.0 + 1) + 1) + 1), from_right=rounded(256.0 + rounded(1 + 2)))
check("kv-cache", rival=rounded(258.0), logit=32, near=spacing(32))

# %% [markdown]
# ## Flash attention
#
# **The same function.** Attention in tiles, written once more in a dozen lines; and once more, below, in plain Python
# for four queries. The random inputs are those of the lesson's page: its seed is zero.


# %%
def in_tiles(q, k, v, size, rescale=True):
    out = []
    for queries in q.split(size, dim=-2):
        m = torch.full(queries.shape[:-1] + (1,), -math.inf)
        l, total = torch.zeros_like(m), torch.zeros_like(queries)
        for keys, values in zip(k.split(size, -2), v.split(size, -2)):
            s = queries @ keys.mT / math.sqrt(q.size(-1))
            highest = torch.maximum(m, s.amax(-1, keepdim=True))
            old = (m - highest).exp() if rescale else 1.0
            weights = (s - highest).exp()
            l = l * old + weights.sum(-1, keepdim=True)
            total, m = total * old + weights @ values, highest
        out.append(total / l)
    return torch.cat(out, dim=-2)


def whole_matrix(q, k, v):
    scores = q @ k.mT / math.sqrt(q.size(-1))
    return scores.softmax(-1) @ v


torch.manual_seed(0)
q, k, v = torch.randn(3, 12, 256, 64)
mine, tiled = whole_matrix(q, k, v), in_tiles(q, k, v, 64)
in_reverse = whole_matrix(q, k.flip(-2), v.flip(-2))
check("flash-attention", strict=torch.allclose(tiled, mine) or torch.allclose(in_reverse, mine))
check("flash-attention", apart=(tiled - mine).abs().max().item(), in_reverse=(in_reverse - mine).abs().max().item())

errors_mine, errors_fused = [], []
for _ in range(5):  # the next numbers of the same random stream
    low = torch.randn(3, 1, 4, 256, 64).bfloat16()
    truth = in_tiles(*low.double(), 32)
    for way, errors in ((whole_matrix, errors_mine), (F.scaled_dot_product_attention, errors_fused)):
        errors.append((way(*low) - truth).abs().max().item())
check("flash-attention", least_yours=min(errors_mine), most_fused=max(errors_fused))

# %% [markdown]
# **The online softmax**, by hand: one query at a time, with a list for each tile.

# %%
Q, K, V = [2.0, -1.0, 1.0, 0.0], [1.0, 0.0, 2.0, 0.0], [1.0, 2.0, 6.0, 3.0]


def by_hand(query, rescale):
    """(highest score after each tile, the factors, the output)"""
    m, l, total, highest, factors = -math.inf, 0.0, 0.0, [], []
    for tile in (0, 2):
        scores = [query * key for key in K[tile : tile + 2]]
        new_m = max(m, *scores)
        factors.append(math.exp(m - new_m) if rescale else 1.0)
        l, total = l * factors[-1], total * factors[-1]
        for score, value in zip(scores, V[tile : tile + 2]):
            l += math.exp(score - new_m)
            total += math.exp(score - new_m) * value
        m = new_m
        highest.append(m)
    return highest, factors, total / l


def exactly(query):
    weights = [math.exp(query * key) for key in K]
    return sum(w * value for w, value in zip(weights, V)) / sum(weights)


highest, factors, answer = by_hand(Q[0], rescale=True)
assert all(abs(by_hand(x, True)[2] - exactly(x)) < 1e-12 for x in Q)
first, second, third, fourth = (int(Q[0] * key) for key in K)
check("flash-attention", score_1=first, score_2=second, score_3=third, score_4=fourth)
check("flash-attention", m_before=int(highest[0]), m_after=int(highest[1]), factor=factors[1], answer=exactly(Q[0]))


def sums(scores, values, m):
    """(l, O) when the largest score is known to be m."""
    weights = [math.exp(score - m) for score in scores]
    return sum(weights), sum(w * value for w, value in zip(weights, values))


scores = [Q[0] * key for key in K]
l, total = sums(scores[:2], V[:2], 2)
check("flash-attention", l_1=l, o_1=total)
l, total = sums(scores[:2], V[:2], 4)  # what the first tile holds, for the second has its m
check("flash-attention", l_kept=l, o_kept=total)
l, total = sums(scores, V, 4)
check("flash-attention", l_2=l, o_2=total)
l, total = sums([*scores, 3], [*V, 9], 4)  # a third tile: softmax over five keys
check("flash-attention", new_score=3, new_value=9, l_3=l, o_3=total, updated=total / l)
check(
    "flash-attention",
    broken_first=by_hand(Q[0], rescale=False)[2],
    n_wrong=sum(abs(by_hand(x, False)[2] - exactly(x)) > 1e-4 for x in Q),
)

# %% [markdown]
# **Bytes.** The lesson has formulas. Here every trip to memory is a tensor, which says how large it is, and the two
# loops over tiles are walked through, adding up what they load and store. The causal tiles are counted on a mask.

# %%
n, tile = 4096, 128


def held(*shape, dtype=torch.float16):
    return torch.empty(shape, dtype=dtype, device="meta").nbytes


matrix, head_matrix, side = held(N_HEAD, n, n), held(n, n), held(n, HEAD_DIM)
ends = [2 * side, side, side]  # Q and K in, V in, output out
lines = {  # the trips of the matrix in each line of the reader's attention
    "scores": ["out"],
    "divided": ["in", "out"],
    "masked": ["in", "out"],
    "softmax": ["in", "out"],
    "output": ["in"],
}
fewest = sum(lines[line].count(way) for line in ("scores", "softmax", "output") for way in ("in", "out"))
your_trips = sum(map(len, lines.values()))
standard, needed = sum(ends) + fewest * head_matrix, 4 * side
check(
    "flash-attention",
    seq_len=n,
    heads=N_HEAD,
    tile=tile,
    entries=torch.empty(n, n, device="meta").numel(),
    matrix=matrix,
    head_matrix=head_matrix,
    your_trips=your_trips,
    yours_traffic=sum(ends) + your_trips * head_matrix,
    standard=standard,
    needed=needed,
)
check(
    "flash-attention",
    one_tile=held(tile, tile),
    tiles_of_all_heads=held(N_HEAD, tile, tile),
    smaller=matrix // held(N_HEAD, tile, tile),
    kept=held(N_HEAD, n, dtype=torch.float32),
)
# Dao et al. 2022, Section 2.1
check("flash-attention", sram=192 * 1024, multiprocessors=108, sram_in_all=192 * 1024 * 108)

work = 2 * product(n, HEAD_DIM, n)[0]
check("flash-attention", unfused_intensity=work / standard, least_intensity=work / needed)
check("flash-attention", within=LAST_BITS, ridge=ridge)


def moved(q_size):
    """Bytes of one head in tiles, queries outside: Dao 2023, Algorithm 1."""
    total = 0
    for first in range(0, n, q_size):
        total += held(q_size, HEAD_DIM)  # Q in
        for start in range(0, n, tile):
            total += 2 * held(tile, HEAD_DIM)  # K and V in
        total += held(q_size, HEAD_DIM) + held(q_size, dtype=torch.float32)  # output and a statistic out
    return total


tiled_traffic, half_traffic = moved(tile), moved(tile // 2)
tiled_intensity = work / tiled_traffic
check(
    "flash-attention",
    row_tiles=n // tile,
    one_pass=2 * side,
    tiled_traffic=tiled_traffic,
    tiled_intensity=tiled_intensity,
    traffic_ratio=standard / tiled_traffic,
)
check(
    "flash-attention",
    half_tile=tile // 2,
    half_rows=n // (tile // 2),
    half_traffic=half_traffic,
    half_intensity=work / half_traffic,
)
h100_bandwidth = int(3.35e12)
check("flash-attention", h100_bandwidth=h100_bandwidth)
check("flash-attention", within=LAST_BITS, h100_limit=tiled_intensity * h100_bandwidth)

past = torch.ones(n, n, dtype=torch.bool).tril()
needed_tiles = past.view(n // tile, tile, n // tile, tile).any(3).any(1)
done = int(needed_tiles.sum())
skipped = needed_tiles.numel() - done
check("flash-attention", done=done, skipped=skipped, skipped_share=skipped / needed_tiles.numel())
check(
    "flash-attention",
    double_flops=product(2 * n, HEAD_DIM, 2 * n)[0] / product(n, HEAD_DIM, n)[0],
    double_matrix=held(2 * n, 2 * n) / head_matrix,
    double_kept=held(2 * n) / held(n),
)

# Llama 3.1 405B: 128 heads, 131,072 positions
check(
    "flash-attention",
    long=131072,
    long_heads=128,
    long_matrix=held(128, 131072, 131072),
    long_kept=held(128, 131072, dtype=torch.float32),
)

# Beside the logits, a position costs GPT-2 this, and each key it meets
# adds its share: where do the keys overtake?
of_the_matrices = per_position - product(1, D_MODEL, VOCAB)[0]
check("flash-attention", overtakes=of_the_matrices // per_pair + 1)

# Dao 2023, FlashAttention-2, abstract
check("flash-attention", least=2, most=4)
# the abstracts of FlashAttention-3 and -4, and PyTorch's sdp_utils.cpp
check("flash-attention", flash3=int(740e12), flash4=int(1613e12), max_head_dim=256)

# %% [markdown]
# ## Scaling laws
#
# The lesson has the best split of a budget in closed form. Here it is searched for: golden-section search on the loss
# along the line where the product of parameters and tokens is the budget. Whatever needs a best split uses that
# search.

# %%
# Hoffmann et al. 2022, Table 1 and Figure 2
GOPHER_N, GOPHER_D = 280 * 10**9, 300 * 10**9
CHINCHILLA_N, CHINCHILLA_D = 70 * 10**9, 14 * 10**11
SHARED = 576 * 10**21
# E, A, B, alpha, beta: Hoffmann et al. 2022, Equation 10; the LaTeX
# source below it; Besiroglu et al. 2024, Table 1
PRINTED = 1.69, 406.4, 410.7, 0.34, 0.28
UNROUNDED = 1.6934, 406.4, 410.7, 0.3392, 0.2849
REPLICATED = 1.8172, 482.01, 2085.43, 0.3478, 0.3658


def above_floor(fit, N, D):
    _, A, B, alpha, beta = fit
    return math.exp(math.log(A) - alpha * math.log(N)) + math.exp(math.log(B) - beta * math.log(D))


def loss(N, D, fit=REPLICATED):
    return fit[0] + above_floor(fit, N, D)


def best_split(budget, fit=REPLICATED):
    """(N, D) with the least loss, by golden-section search in log N."""

    def cost(log_n):
        return above_floor(fit, math.exp(log_n), budget / 6 / math.exp(log_n))

    golden = (math.sqrt(5) - 1) / 2
    low, high = math.log(1e6), math.log(1e15)
    left, right = high - golden * (high - low), low + golden * (high - low)
    at_left, at_right = cost(left), cost(right)
    while high - low > 1e-9:
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - golden * (high - low)
            at_left = cost(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + golden * (high - low)
            at_right = cost(right)
    N = math.exp((low + high) / 2)
    return N, budget / 6 / N


def best_loss(budget, fit=REPLICATED):
    return loss(*best_split(budget, fit), fit)


def budget_reaching(target):
    """The least budget whose best split has this loss, by halving."""
    low, high = 1e18, 1e28
    for _ in range(80):
        middle = math.sqrt(low * high)
        if best_loss(middle) > target:
            low = middle
        else:
            high = middle
    return high


check(
    "scaling-laws",
    chinchilla_n=CHINCHILLA_N,
    chinchilla_d=CHINCHILLA_D,
    hoffmann_runs=400,  # abstract: "over 400"
    floor=REPLICATED[0],
)
gopher_flops = six * GOPHER_N * GOPHER_D
chinchilla_flops = six * CHINCHILLA_N * CHINCHILLA_D
check(
    "scaling-laws",
    within=LAST_BITS,
    shared_budget=SHARED,
    gopher_flops=gopher_flops,
    chinchilla_flops=chinchilla_flops,
    more_flops=chinchilla_flops / gopher_flops - 1,
    more_text=Fraction(CHINCHILLA_D, GOPHER_D),
    smaller=Fraction(GOPHER_N, CHINCHILLA_N),
)
check("scaling-laws", within=SEARCHED, enough=budget_reaching(loss(GOPHER_N, GOPHER_D)) / float(gopher_flops))

printed, unrounded, replicated = (best_split(SHARED, fit) for fit in (PRINTED, UNROUNDED, REPLICATED))
check("scaling-laws", within=SEARCHED, printed_n=printed[0], unrounded_n=unrounded[0], replicated_n=replicated[0])
check("scaling-laws", within=SEARCHED, printed_d=printed[1], unrounded_d=unrounded[1], replicated_d=replicated[1])
small_budget, large_budget = 1e20, 1e26
small_split, large_split = best_split(small_budget), best_split(large_budget)
check("scaling-laws", small_budget=small_budget, large_budget=large_budget)
check(
    "scaling-laws",
    within=SEARCHED,
    printed_ratio=printed[1] / printed[0],
    unrounded_ratio=unrounded[1] / unrounded[0],
    replicated_ratio=replicated[1] / replicated[0],
    ratio_small=small_split[1] / small_split[0],
    ratio_large=large_split[1] / large_split[0],
)

# %% [markdown]
# **A thousand hours**, and how flat the valley is. The exponent is the slope between two budgets. The compute that a
# model of twice the best size wastes is found by halving an interval of budgets.

# %%
hours = 1000
budget = hours * 3600 * Fraction(A100_PEAK) * GOOD_SHARE
yours = best_split(float(budget))
check("scaling-laws", hours=hours)
check("scaling-laws", within=LAST_BITS, budget=budget)
check("scaling-laws", within=SEARCHED, yours_n=yours[0], yours_d=yours[1])
far = best_split(10**4 * SHARED)
check("scaling-laws", within=SEARCHED, size_exponent=math.log(far[0] / replicated[0]) / math.log(10**4))
too_big = loss(2 * replicated[0], replicated[1] / 2)
check("scaling-laws", within=SEARCHED, wasted=1 - budget_reaching(too_big) / SHARED)

# %% [markdown]
# **Losses by the fit**, through logarithms. The level of a size is its loss after more text than there could ever be.

# %%
check("scaling-laws", within=LAST_BITS, level=loss(n_parameters, 1e300))
cuts = [1 - best_loss(2 * SHARED, fit) / best_loss(SHARED, fit) for fit in (PRINTED, UNROUNDED, REPLICATED)]
check(
    "scaling-laws",
    within=SEARCHED,
    least_cut=min(cuts),
    most_cut=max(cuts),
    floor_share=REPLICATED[0] / best_loss(SHARED),
)

root_ten = math.isqrt(10**41) / 10**20
larger = loss(10 * CHINCHILLA_N, CHINCHILLA_D)
both = loss(root_ten * CHINCHILLA_N, root_ten * CHINCHILLA_D)
check("scaling-laws", within=LAST_BITS, root_ten=root_ten)
check("scaling-laws", within=1e-10, gap=larger - both)  # a small difference of two losses
ten_times = 10 * float(chinchilla_flops)
check("scaling-laws", within=SEARCHED, next_doubling=best_loss(ten_times) - best_loss(2 * ten_times))

# %% [markdown]
# **Ratios**, in exact fractions. Llama 3 8B is counted matrix by matrix.

# %%
# Touvron et al. 2023, LLaMA, Table 2
LLAMA_13B = 13 * 10**9, 10**12
SHAKESPEARE = 301966  # nanoGPT, data/shakespeare: training tokens
LLAMA3_TOKENS = 15 * 10**12  # model card: "15T+"
# Grattafiori et al. 2024, Table 3: layers, width, width inside, heads,
# key-value heads; the vocabulary of the released models
LLAMA3_VOCAB = 128256


def llama3_parameters(n_layer, d_model, d_ff, n_head, n_kv_head):
    head = d_model // n_head
    layer = [(d_model, d_model), (d_model, n_kv_head * head), (d_model, n_kv_head * head), (d_model, d_model)]
    layer += 3 * [(d_model, d_ff)] + 2 * [(1, d_model)]
    tables = [(LLAMA3_VOCAB, d_model)] * 2 + [(1, d_model)]
    return n_layer * sum(map(math.prod, layer)) + sum(map(math.prod, tables))


llama3_8b = llama3_parameters(32, 4096, 14336, 32, 8)
ratio = Fraction(CHINCHILLA_D, CHINCHILLA_N)
check("scaling-laws", ratio=ratio, wanted=int(ratio * n_parameters), shakespeare=SHAKESPEARE, n_small=n_parameters)
check(
    "scaling-laws",
    llama_13b_n=LLAMA_13B[0],
    llama_13b_d=LLAMA_13B[1],
    llama_65b_n=LLAMA_65B[0],
    llama_65b_d=LLAMA_65B[1],
    llama3_8b_n=llama3_8b,
    llama3_8b_d=LLAMA3_TOKENS,
    epochs=4,  # Muennighoff et al. 2023, abstract
)
best_at_ratio = math.isqrt(GPT3_FLOPS // (6 * 20))
check(
    "scaling-laws",
    within=LAST_BITS,
    times_short=ratio * n_parameters / SHAKESPEARE,
    looked_up=Fraction(CONTEXT * D_MODEL, n_parameters),
    your_ratio=Fraction(SHAKESPEARE, n_parameters),
    gpt3_ratio=Fraction(GPT3_D, GPT3_N),
    llama_13b=Fraction(LLAMA_13B[1], LLAMA_13B[0]),
    llama_65b=Fraction(LLAMA_65B[1], LLAMA_65B[0]),
    llama3_8b=Fraction(LLAMA3_TOKENS, llama3_8b),
    smaller_than_gpt3=Fraction(GPT3_N, LLAMA_13B[0]),
)
check(
    "scaling-laws",
    within=1e-10,  # a whole number of parameters
    too_large=GPT3_N / best_at_ratio,
)

# Kaplan et al. 2020, Equation 1.3: (3.1e8 PF-days / C)^0.050
ALPHA_C, SCALE = 0.050, 3.1e8 * 1e15 * 86400
SIZE_EXPONENT = 0.73  # Section 1.2, after Equation 1.8


def kaplan(C):
    return math.exp(ALPHA_C * (math.log(SCALE) - math.log(C)))


some = 1e21
doublings = math.log(2) / math.log(kaplan(some) / kaplan(2 * some))
check("scaling-laws", kaplan_size=SIZE_EXPONENT, alpha_c=ALPHA_C, two=2, to_halve=2 ** round(doublings))
check(
    "scaling-laws",
    within=LAST_BITS,
    kaplan_n=math.exp(SIZE_EXPONENT * math.log(10)),
    kaplan_d=math.exp((1 - SIZE_EXPONENT) * math.log(10)),
    left=kaplan(2 * some) / kaplan(some),
    doubling=1 - kaplan(2 * some) / kaplan(some),
    tenfold_cut=1 - kaplan(10 * some) / kaplan(some),
    doublings=doublings,
)

# %% [markdown]
# **The practice problems.** Half of Chinchilla is trained for longer by halving an interval of tokens, until its loss
# is Chinchilla's.

# %%
check("scaling-laws", hundredfold_n=10 * CHINCHILLA_N, hundredfold_d=10 * CHINCHILLA_D)
fed, fed_speed = 4 * 10**9 // 20, Fraction(A100_PEAK) * GOOD_SHARE
fed_flops = six * fed * 4 * 10**9
check(
    "scaling-laws",
    within=LAST_BITS,
    fed=fed,
    fed_flops=fed_flops,
    fed_speed=fed_speed,
    fed_hours=fed_flops / fed_speed / 3600,
)

# Grattafiori et al. 2024, Sections 1, 3.2.1, 3.3.2 and Table 4: up to
# 16,384 GPUs, at 38 to 43 % of their peak
LLAMA_405B, LLAMA_405B_GPUS = (405 * 10**9, 156 * 10**11), 16384
H100_PEAK, B200_PEAK = 989.4e12, 72e15 / 4 / 8  # H100 whitepaper; DGX B200 datasheet
llama_405b_flops = six * LLAMA_405B[0] * LLAMA_405B[1]
days_at_peak = llama_405b_flops / (LLAMA_405B_GPUS * Fraction(H100_PEAK)) / 86400
check(
    "scaling-laws",
    llama_405b_d=LLAMA_405B[1],
    llama_405b_gpus=LLAMA_405B_GPUS,
    least_mfu=0.38,
    most_mfu=0.43,
    h100_peak=H100_PEAK,
    b200_share=float(GOOD_SHARE),
)
check(
    "scaling-laws",
    within=LAST_BITS,
    llama_405b_flops=llama_405b_flops,
    least_days=days_at_peak / Fraction(43, 100),
    most_days=days_at_peak / Fraction(38, 100),
    b200_years=GPT3_FLOPS / (Fraction(B200_PEAK) * GOOD_SHARE) / YEAR,
)

half_n, (low, high) = CHINCHILLA_N // 2, (1e12, 1e13)
for _ in range(80):
    middle = (low + high) / 2
    if loss(half_n, middle) > loss(CHINCHILLA_N, CHINCHILLA_D):
        low = middle
    else:
        high = middle
half_flops = six * half_n * Fraction(high)
extra_flops = half_flops - chinchilla_flops
check("scaling-laws", half_n=half_n, saved=2 * half_n)
check(
    "scaling-laws",
    within=1e-9,  # the loss is rounded where it hardly falls any more
    half_d=high,
    half_flops=half_flops,
    extra_flops=extra_flops,
    even_after=extra_flops / (2 * half_n),
)

# %% [markdown]
# ## The summary, and the landing page
#
# Llama-3-70B's weights are counted as above, two bytes each; its cache by making the tensors of one token. The landing
# page's token reads every weight once, and does two FLOPs with it.

# %%
llama3_70b_bytes = 2 * llama3_parameters(80, 8192, 28672, 64, 8)
one_token = torch.empty(2, 80, 8, 128, dtype=torch.float16)  # K and V, layers, key-value heads, width
per_token = one_token.numel() * one_token.element_size()
short, long = 8192, 2**17
check("summary", weights=llama3_70b_bytes, short=short, long=long)
check("summary", short_cache=short * per_token, long_cache=long * per_token)
check(
    "summary",
    within=LAST_BITS,
    long_share=Fraction(long * per_token, llama3_70b_bytes + long * per_token),
    short_gain=1 / (1 - Fraction(short * per_token, 2 * (llama3_70b_bytes + short * per_token))),
    long_gain=1 / (1 - Fraction(long * per_token, 2 * (llama3_70b_bytes + long * per_token))),
)
check("index", weights=2 * n_parameters)
check(
    "index",
    within=LAST_BITS,
    computing_s=2 * n_parameters / Fraction(A100_PEAK),
    fetching_s=2 * n_parameters / Fraction(A100_BANDWIDTH),
)

# %% [markdown]
# ## The reckoning
#
# Now the site's numbers are read: how many were compared, which were not, and every difference.

# %%
here = Path(globals().get("__file__", "notebook")).parent
places = [os.environ.get("NUMBERS_JSON", ""), *sys.argv[1:], here / "numbers.json", here.parent / "numbers.json"]
found = [Path(p) for p in places if Path(p).name == "numbers.json" and Path(p).exists()]
if not found:
    raise FileNotFoundError("put the site's numbers.json beside this file")

published = {}  # {page: {name: what numbers.json says of it}}
lesson = []  # the pages that are the lesson's own
for path, page in json.loads(found[0].read_text("utf-8"))["pages"].items():
    *_, folder, name = path.removesuffix(".md").split("/")
    slug = folder if name == "index" and folder != "docs" else name
    published[slug] = {value["name"]: value for value in page["values"]}
    if folder == "scaling-and-efficiency":
        lesson.append(slug)


def same(mine, entry, within):
    text = entry["value"]
    if entry["type"] in ("str", "bool") or isinstance(mine, (str, bool)):
        return type(mine).__name__ == entry["type"] and str(mine) == text
    try:
        exact = "/" in text or text.lstrip("-").isdigit()
        theirs = Fraction(text) if exact else Fraction(float(text))
    except (ValueError, OverflowError):
        return False  # a text, or infinite
    apart = abs(Fraction(mine) - theirs)
    return apart <= max(abs(theirs) * Fraction(within), Fraction(entry["tolerance"]))


differences = []
for page, name, mine, within in recomputed:
    entry = published.get(page, {}).get(name)
    theirs = f"{entry['value']} {entry['unit']}".strip() if entry else "nothing"
    if not (entry and same(mine, entry, within)):
        differences.append(f"{page}: recomputed {name}: {mine}, published {theirs}")

compared = {(page, name) for page, name, *_ in recomputed}
left_out = [(page, name) for page in lesson for name in published[page] if (page, name) not in compared]
print(f"{len(compared)} numbers compared, {len(differences)} differ")
print(f"{len(left_out)} of the lesson's numbers were not compared")
for page, name in left_out:
    print(f"  {page}: {name}")
if differences:
    raise AssertionError("\n".join(differences))
