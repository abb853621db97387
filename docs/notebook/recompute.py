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
# It works in Jupyter and as a script. The site runs it too, whenever it is built, and is not published when two
# numbers differ.

# %%
import inspect
import json
import math
import os
import sys
from fractions import Fraction
from pathlib import Path

import torch
import torch.nn.functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

torch.set_num_threads(1)
torch.manual_seed(0)

here = Path(globals().get("__file__", "notebook")).parent
places = [os.environ.get("NUMBERS_JSON", ""), *sys.argv[1:], here / "numbers.json", here.parent / "numbers.json"]
found = [Path(p) for p in places if Path(p).name == "numbers.json" and Path(p).is_file()]
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

# %% [markdown]
# One function compares. Whole numbers and texts must be equal. So must other numbers, unless a call says how far
# apart the two may be, as a share of the number. Where the lesson itself says that another machine may differ, its
# own tolerance holds. Differences are collected, and told together at the end.

# %%
LAST_BITS = 1e-12  # both routes round to float64, at other steps
SEARCHED = 1e-6  # a search finds a flat minimum no more precisely

compared, differences = set(), []


def check(page, within=0.0, **recomputed):
    for name, mine in recomputed.items():
        compared.add((page, name))
        entry = published.get(page, {}).get(name)
        theirs = entry and f"{entry['value']} {entry['unit']}".strip()
        if entry and same(mine, entry, within):
            print(f"{name}: {theirs}")
            continue
        message = f"recomputed {name}: {mine}, published {theirs or 'nothing'}"
        print(f"DIFFERS: {message}")
        differences.append(f"{page}: {message}")


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
check(
    "roofline",
    full=CONTEXT,
    layer_norm=intensity["layer norm"],
    softmax=intensity["softmax"],
    gelu=intensity["GELU"],
    gelu_erf=gelu_erf_each / (2 * 2),
)
check(
    "roofline",
    scores=intensity["scores"],
    qkv=intensity["qkv"],
    projection=intensity["projection"],
    up=intensity["up"],
    logits=intensity["logits"],
)
# one head: two products, and the softmax's reading and writing between
one_head = [
    product(CONTEXT, HEAD_DIM, CONTEXT),
    (0, elementwise(0, 2, CONTEXT, CONTEXT)[1]),
    product(CONTEXT, CONTEXT, HEAD_DIM),
]
check("roofline", attention=sum(f for f, _ in one_head) / sum(m for _, m in one_head))

token_flops, token_bytes = sums(token)
check("roofline", token_intensity=token_flops / token_bytes, one_row=token["qkv"][0] / token["qkv"][1])
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
check(
    "roofline", numbers=numbers, vector_peak=A100_PEAK_FP32, bandwidth=A100_BANDWIDTH, math_s=math_s, memory_s=memory_s
)
check(
    "roofline",
    within=LAST_BITS,
    slower=memory_s / math_s,
    reached=add_flops / memory_s,
    reached_share=math_s / memory_s,
)
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


waits = that_wait(whole)
fused = forward_pass(1, CONTEXT, CONTEXT, fused=True)
check(
    "roofline",
    within=LAST_BITS,
    forward_s=least(whole),
    waiting_time=least(waits) / least(whole),
    waiting_work=sums(waits)[0] / sums(whole)[0],
    fused_time=least(that_wait(fused)) / least(fused),
)
norm = {"layer norm": whole["layer norm"]}
check(
    "roofline",
    within=LAST_BITS,
    norm_cores=least(norm) / least(norm, peak=2 * A100_PEAK),
    token_cores=least(token) / least(token, peak=2 * A100_PEAK),
    forward_cores=least(whole) / least(whole, peak=2 * A100_PEAK),
    token_bandwidth=(least(token) / least(token, bandwidth=2 * A100_BANDWIDTH)),
)

# Everything in a decoded token waits for memory, so bytes tell the time.
assert max(f / m for f, m, _ in token.values()) < ridge
kernels = sum(runs for _, _, runs in token.values())
token_s = token_bytes / A100_BANDWIDTH
check("roofline", kernels=kernels)
check("roofline", within=LAST_BITS, token_s=token_s, per_kernel=token_s / kernels)

users, short = 32, 128
bytes_for = {(n, keys): sums(forward_pass(n, 1, keys, fused=True))[1] for n in (1, users) for keys in (short, CONTEXT)}
check("roofline", users=users, short=short)
check(
    "roofline",
    within=LAST_BITS,
    batch_ratio=bytes_for[users, CONTEXT] / bytes_for[1, CONTEXT],
    short_ratio=bytes_for[users, short] / bytes_for[1, short],
)

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
check("mixed-precision", fp32_normal=fp32["normal"], bf16_normal=bf16["normal"], fp16_normal=fp16["normal"])
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
    stays = 0.0
    for x in every_number(dtype).tolist():
        if rounded(1 + Fraction(x), name) > 1:
            break
        stays = x
    thresholds[name] = stays

check("mixed-precision", threshold_fp16=thresholds["float16"], threshold_bf16=thresholds["bfloat16"])
check("mixed-precision", on_the_line=rounded(1 + Fraction(thresholds["float16"]), "float16"))
check(
    "mixed-precision",
    within=LAST_BITS,
    short_fp16=Fraction(thresholds["float16"]) / Fraction(update),
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
    moved_fp32=masters[many],
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

# torch's products of bfloat16 vectors against exact sums, rounded once
trials, rounded_once = 100, 0
for seed in range(trials):
    torch.manual_seed(seed)
    left, right = torch.randn(2, 4096).bfloat16()
    exact = math.fsum(x * y for x, y in zip(left.tolist(), right.tolist()))
    rounded_once += (left @ right).item() == rounded(exact, "bfloat16")
check("mixed-precision", trials=trials, rounded_once=rounded_once)

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
    loss = model(torch.ones(7, 2)).float().sum()
loss.backward()


def name_of(dtype):
    return str(dtype).split(".")[1]


check(
    "mixed-precision",
    weights_dtype=name_of(model[0].weight.dtype),
    grad_dtype=name_of(model[0].weight.grad.dtype),
    inside_forward=name_of(seen["forward"]),
    inside_backward=name_of(seen["backward"]),
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
    limit = {"float16": fp16, "bfloat16": bf16}[name]["largest"]
    if abs(sent) > Fraction(limit):
        return "inf"
    return rounded(sent / Fraction(scale), "float32")


check(
    "mixed-precision",
    unscaled_fp16=arrives(small, "float16"),
    scaled_fp16=arrives(small, "float16", scale),
    overflowed=arrives(1.0, "float16", scale),
    unscaled_bf16=arrives(small, "bfloat16"),
)

# One step of AdamW on a weight of one, in float16 throughout: a small
# gradient's square and the constant that guards the division are zero.
gradient = rounded(update, "float16")
mean_square = rounded(rounded(1 - 0.999, "float16") * gradient**2, "float16")
guard = rounded(1e-8, "float16")
after_adam = "finite" if mean_square + guard else "-inf"
check("mixed-precision", after_adam=after_adam)

# %% [markdown]
# **Memory.** The lesson adds up a table of bytes. Here one step of Adam is made, and its tensors are asked. For the
# recipe with a separate master weight, the tensors are made by hand. What autograd keeps, the lesson measures; here
# it is a list of what each backward pass needs.


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


half, single = torch.zeros(1, dtype=torch.bfloat16), torch.zeros(1)
with_master = [half, half.clone(), single, single.clone(), single.clone()]
check(
    "mixed-precision",
    float32_bytes=bytes_after_a_step(False),
    mixed_bytes=bytes_after_a_step(True),
    master_bytes=sum(t.nbytes for t in with_master),
    state_bytes=bytes_after_a_step(True) * n_parameters,
)


def kept_for_backward(layers, vocab, batch, length, wide, narrow):
    """Bytes. wide: of a number in the residual stream, in float32.
    narrow: of a number inside a layer."""
    rows = batch * length
    x = rows * D_MODEL  # numbers in an activation
    norm = wide * x + 2 * 4 * rows  # input, mean, deviation
    matrix = batch * N_HEAD * length**2  # attention weights
    attend = narrow * (x + 3 * x + matrix + x)  # in; q, k, v; ...; out
    forward = narrow * (x + 4 * x + 4 * x)  # in, GELU's in and out
    layer = norm + attend + norm + forward
    mask = length**2  # one byte each, and one mask for all layers
    logits = norm + narrow * x
    loss = 4 * rows * vocab + 4  # log-probabilities, weight
    return layers * layer + mask + logits + loss + 8 * rows + 8 * length  # token and position ids


kept_fp32 = kept_for_backward(2, 1024, 4, 128, wide=4, narrow=4)
kept_bf16 = kept_for_backward(2, 1024, 4, 128, wide=4, narrow=2)
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
check("kv-cache", step_1=without[0], step_2=without[1], step_3=without[2], cached_step_2=with_cache[1])
# all but the newest position were there a step before
check("kv-cache", again_2=without[1] - 1, again_3=without[2] - 1, again_late=without[T - 1] - 1)
check(
    "kv-cache",
    counted_without=sum(without),
    counted_with=sum(with_cache),
    last_without=without[-1],
    last_with=with_cache[-1],
)

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
check("kv-cache", traffic_with=traffic_with)

times = {}
for way, work, traffic in (("without", steps[-1][2], traffic_without), ("with", cached_steps[-1][2], traffic_with)):
    times[way] = sorted([(work / A100_PEAK, "compute"), (traffic / A100_BANDWIDTH, "memory")])[-1]
check(
    "kv-cache",
    time_without=times["without"][0],
    time_with=times["with"][0],
    bound_without=times["without"][1],
    bound_with=times["with"][1],
)
check("kv-cache", within=LAST_BITS, time_ratio=times["without"][0] / times["with"][0])

# %% [markdown]
# **Memory.** The lesson multiplies sizes. Here the cache is a tensor of that shape, and says how large it is.

# %%
check(
    "kv-cache",
    n_layer=N_LAYER,
    n_head=N_HEAD,
    head_dim=HEAD_DIM,
    bytes_per_number=torch.finfo(torch.float16).bits // 8,
    one_mib=1 << 20,
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
check("kv-cache", weights_bytes=weights_bytes, contexts=contexts)

# Grattafiori et al. 2024, Table 3: layers, heads, KV heads, width
layers_70b, heads_70b, kv_heads_70b, width_70b = 80, 64, 8, 8192
head_dim_70b = width_70b // heads_70b
shared = cache_bytes(layers_70b, kv_heads_70b, head_dim_70b, 1)
unshared = cache_bytes(layers_70b, heads_70b, head_dim_70b, 1)
check(
    "kv-cache",
    query_heads=heads_70b,
    kv_heads=kv_heads_70b,
    shared=shared,
    unshared=unshared,
    sharing_saves=unshared / shared,
)

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
q, k, v = torch.randn(3, 1, 12, 256, 64)
order = torch.randperm(256)
mine, tiled = whole_matrix(q, k, v), in_tiles(q, k, v, 64)
shuffled = whole_matrix(q, k[:, :, order], v[:, :, order])
check(
    "flash-attention",
    tiled_equal=torch.equal(tiled, mine),
    tiled_strict=torch.allclose(tiled, mine),
    tiled_close=torch.allclose(tiled, mine, atol=1e-5),
    shuffled_equal=torch.equal(shuffled, mine),
    shuffled_strict=torch.allclose(shuffled, mine),
)
check("flash-attention", apart=(tiled - mine).abs().max().item(), shuffled=(shuffled - mine).abs().max().item())

seeds, errors_mine, errors_fused = 20, [], []
for _ in range(seeds):  # the next numbers of the same random stream
    low = torch.randn(3, 1, 12, 256, 64).bfloat16()
    truth = in_tiles(*low.double(), 32)
    for way, errors in ((whole_matrix, errors_mine), (F.scaled_dot_product_attention, errors_fused)):
        errors.append((way(*low) - truth).abs().max().item())
check("flash-attention", seeds=seeds, nearer=sum(f < m for f, m in zip(errors_fused, errors_mine)))
check("flash-attention", least_yours=min(errors_mine), most_tiles=max(errors_fused))

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
check("flash-attention", m_before=highest[0], m_after=highest[1], factor=factors[1], answer=exactly(Q[0]))
check(
    "flash-attention",
    broken_first=by_hand(Q[0], rescale=False)[2],
    n_wrong=sum(abs(by_hand(x, False)[2] - exactly(x)) > 1e-4 for x in Q),
)

# %% [markdown]
# **Bytes.** The lesson has formulas. Here every trip to memory is a tensor, which says how large it is, and the two
# loops of the first flash attention are walked through, adding up what they load and store. The causal tiles are
# counted on a mask.

# %%
n, tile = 4096, 128


def held(*shape, dtype=torch.float16):
    return torch.empty(shape, dtype=dtype, device="meta").nbytes


matrix, head_matrix, side = held(N_HEAD, n, n), held(n, n), held(n, HEAD_DIM)
trips = [
    2 * side,
    head_matrix,  # Q, K in; scores out
    head_matrix,
    head_matrix,  # scores in; weights out
    head_matrix + side,
    side,
]  # weights, V in; output out
standard, needed = sum(trips), 4 * side
check(
    "flash-attention",
    seq_len=n,
    heads=N_HEAD,
    tile=tile,
    entries=torch.empty(n, n, device="meta").numel(),
    matrix=matrix,
    head_matrix=head_matrix,
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

work = 2 * product(n, HEAD_DIM, n)[0]
check("flash-attention", unfused_intensity=work / standard)
check("flash-attention", within=LAST_BITS, ridge=ridge)

# Dao et al. 2022, Algorithm 1: M numbers of on-chip memory (Section 3.2:
# about 100 KB), tiles of M / 4d keys and at most d queries
SRAM = 100 * 1024
M = SRAM // 2
kv_size = -(-M // (4 * HEAD_DIM))
q_size = min(kv_size, HEAD_DIM)
moved = 0
for start in range(0, n, kv_size):
    keys = min(kv_size, n - start)
    moved += 2 * keys * HEAD_DIM  # K, V
    for first in range(0, n, q_size):
        queries = min(q_size, n - first)
        moved += queries * (2 * HEAD_DIM + 2)  # Q, O, l, m in
        moved += queries * (HEAD_DIM + 2)  # O, l, m out
flash = 2 * moved
check("flash-attention", sram=SRAM, flash=flash, flash_intensity=work / flash, traffic_ratio=standard / flash)

past = torch.ones(n, n, dtype=torch.bool).tril()
needed_tiles = past.view(n // tile, tile, n // tile, tile).any(3).any(1)
done = int(needed_tiles.sum())
skipped = needed_tiles.numel() - done
check("flash-attention", done=done, skipped=skipped, skipped_share=skipped / needed_tiles.numel())
# the second one, causal: Q in, O and a statistic a query out, and the
# keys and values of every tile that is needed
tiled_traffic = 2 * side + held(n, dtype=torch.float32) + done * 2 * held(tile, HEAD_DIM)
check("flash-attention", tiled_traffic=tiled_traffic)
check(
    "flash-attention",
    double_flops=product(2 * n, HEAD_DIM, 2 * n)[0] / product(n, HEAD_DIM, n)[0],
    double_matrix=held(2 * n, 2 * n) / head_matrix,
    double_kept=held(2 * n) / held(n),
)

# Beside the logits, a position costs GPT-2 this, and each key it meets
# adds its share: where do the keys overtake?
of_the_matrices = per_position - product(1, D_MODEL, VOCAB)[0]
check("flash-attention", overtakes=of_the_matrices // per_pair + 1)

# Which values does a single query see under is_causal? Those that move
# its output.
query, keys = torch.randn(1, 1, 1, 64), torch.randn(1, 1, 5, 64)
values = torch.randn(1, 1, 5, 64, requires_grad=True)
F.scaled_dot_product_attention(query, keys, values, is_causal=True).sum().backward()
seen_rows = values.grad.abs().sum(-1).flatten().nonzero().flatten().tolist()
check("flash-attention", only_first=seen_rows == [0])
# Dao 2023, FlashAttention-2, abstract
check("flash-attention", least=2, most=4)

# %% [markdown]
# ## Scaling laws
#
# The lesson has the best split of a budget in closed form. Here it is searched for: golden-section search on the loss
# along the line where the product of parameters and tokens is the budget. Whatever needs a best split uses that
# search.

# %%
# Hoffmann et al. 2022, Table 1, Figure 2; Table 3 for a model of 175e9
GOPHER_N, GOPHER_D = 280 * 10**9, 300 * 10**9
CHINCHILLA_N, CHINCHILLA_D = 70 * 10**9, 14 * 10**11
SHARED, TABLE_D = 576 * 10**21, 37 * 10**11
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


check(
    "scaling-laws",
    gopher_n=GOPHER_N,
    gopher_d=GOPHER_D,
    chinchilla_n=CHINCHILLA_N,
    chinchilla_d=CHINCHILLA_D,
    table_tokens=TABLE_D,
    hoffmann_runs=400,
)  # abstract: "over 400"
check(
    "scaling-laws",
    floor=REPLICATED[0],
    fit_a=REPLICATED[1],
    fit_b=REPLICATED[2],
    fit_alpha=REPLICATED[3],
    fit_beta=REPLICATED[4],
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

printed, unrounded, replicated = (best_split(SHARED, fit) for fit in (PRINTED, UNROUNDED, REPLICATED))
check("scaling-laws", within=SEARCHED, printed_n=printed[0], unrounded_n=unrounded[0], replicated_n=replicated[0])
check("scaling-laws", within=SEARCHED, printed_d=printed[1], unrounded_d=unrounded[1], replicated_d=replicated[1])
check(
    "scaling-laws",
    within=SEARCHED,
    printed_ratio=printed[1] / printed[0],
    unrounded_ratio=unrounded[1] / unrounded[0],
    replicated_ratio=replicated[1] / replicated[0],
    shrunk=1 - printed[0] / unrounded[0],
)
check("scaling-laws", within=SEARCHED, worth=(best_loss(float(gopher_flops)) - best_loss(float(chinchilla_flops))))

# %% [markdown]
# **A thousand hours**, and how flat the valley is. The exponent is the slope between two budgets. The compute that a
# model of twice the best size wastes is found by halving an interval of budgets.

# %%
hours = 1000
budget = hours * 3600 * Fraction(A100_PEAK) * GOOD_SHARE
yours, tenfold = best_split(float(budget)), best_split(10 * SHARED)
rule_n = math.isqrt(int(budget * 10**20 / (6 * 20))) / 10**10
check("scaling-laws", hours=hours)
check("scaling-laws", within=LAST_BITS, budget=budget, rule_n=rule_n, rule_d=20 * rule_n)
check(
    "scaling-laws",
    within=SEARCHED,
    yours_n=yours[0],
    yours_d=yours[1],
    grown_n=tenfold[0] / replicated[0],
    grown_d=tenfold[1] / replicated[1],
)
far = best_split(10**4 * SHARED)
check("scaling-laws", within=SEARCHED, size_exponent=math.log(far[0] / replicated[0]) / math.log(10**4))

too_big = loss(2 * replicated[0], replicated[1] / 2)
smaller_budget, larger_budget = SHARED / 2, float(SHARED)
for _ in range(60):
    middle = (smaller_budget + larger_budget) / 2
    if best_loss(middle) > too_big:
        smaller_budget = middle
    else:
        larger_budget = middle
check("scaling-laws", within=SEARCHED, miss=too_big - loss(*replicated), wasted=1 - larger_budget / SHARED)

# %% [markdown]
# **Losses by the fit**, through logarithms. The level of a size is its loss after more text than there could ever be.

# %%
check(
    "scaling-laws",
    within=LAST_BITS,
    gopher_loss=loss(GOPHER_N, GOPHER_D),
    chinchilla_loss=loss(CHINCHILLA_N, CHINCHILLA_D),
    apart=(loss(GOPHER_N, GOPHER_D) - loss(CHINCHILLA_N, CHINCHILLA_D)),
)
longer, start = 1000, 20 * n_parameters
check("scaling-laws", n_small=n_parameters, longer=longer)
check(
    "scaling-laws",
    within=LAST_BITS,
    fixed_first=loss(n_parameters, start),
    fixed_last=loss(n_parameters, longer * start),
    level=loss(n_parameters, 1e300),
)
check("scaling-laws", within=SEARCHED, free_last=best_loss(6.0 * n_parameters * longer * start))

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
check(
    "scaling-laws",
    within=LAST_BITS,
    root_ten=root_ten,
    larger=larger,
    more=loss(CHINCHILLA_N, 10 * CHINCHILLA_D),
    both=both,
    gap=larger - both,
)
ten_times = 10 * float(chinchilla_flops)
check("scaling-laws", within=SEARCHED, next_doubling=best_loss(ten_times) - best_loss(2 * ten_times))

# %% [markdown]
# **Ratios**, in exact fractions.

# %%
# Touvron et al. 2023, LLaMA, Table 2
LLAMA_13B = 13 * 10**9, 10**12
SHAKESPEARE = 301966  # nanoGPT, data/shakespeare: training tokens
ratio = Fraction(CHINCHILLA_D, CHINCHILLA_N)
check("scaling-laws", ratio=ratio, wanted=int(ratio * n_parameters), shakespeare=SHAKESPEARE)
best_at_ratio = math.isqrt(GPT3_FLOPS // (6 * 20))
check(
    "scaling-laws",
    within=LAST_BITS,
    times_short=ratio * n_parameters / SHAKESPEARE,
    too_few=Fraction(TABLE_D, GPT3_D),
    too_few_at_ratio=ratio * GPT3_N / GPT3_D,
    llama_13b=Fraction(LLAMA_13B[1], LLAMA_13B[0]),
    llama_65b=Fraction(LLAMA_65B[1], LLAMA_65B[0]),
    smaller_than_gpt3=Fraction(GPT3_N, LLAMA_13B[0]),
)
check(
    "scaling-laws",
    within=1e-10,  # a whole number of parameters
    too_large=GPT3_N / best_at_ratio,
)

# Kaplan et al. 2020, Equation 1.3: (3.1e8 PF-days / C)^0.050
ALPHA_C, SCALE = 0.050, 3.1e8 * 1e15 * 86400


def kaplan(C):
    return math.exp(ALPHA_C * (math.log(SCALE) - math.log(C)))


check("scaling-laws", kaplan_size=0.73)  # Section 1.2
some = 1e21
doublings = math.log(2) / math.log(kaplan(some) / kaplan(2 * some))
check("scaling-laws", alpha_c=ALPHA_C, to_halve=2 ** round(doublings))
check(
    "scaling-laws",
    within=LAST_BITS,
    doubling=1 - kaplan(2 * some) / kaplan(some),
    tenfold_cut=1 - kaplan(10 * some) / kaplan(some),
)

# %% [markdown]
# ## The reckoning
#
# How many numbers were compared, which published ones were not, and every difference.

# %%
left_out = [(page, name) for page in lesson for name in published[page] if (page, name) not in compared]
print(f"{len(compared)} numbers compared, {len(differences)} differ")
print(f"{len(left_out)} of the lesson's numbers were not compared")
for page, name in left_out:
    print(f"  {page}: {name}")
if differences:
    raise AssertionError("\n".join(differences))
