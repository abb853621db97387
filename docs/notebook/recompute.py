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
# believe. It finds the lesson's numbers a second time, with torch and plain arithmetic, from published inputs that are
# typed in here with their sources. Nothing of the lesson's own code is used. Wherever there is another road to a number,
# it takes that one: it simulates where the lesson has a formula, and has a formula where the lesson measures.
#
# To run it, put the site's `numbers.json` beside it, or name that file: `python recompute.py path/to/numbers.json`. It
# works in Jupyter and as a script. The site runs it too, whenever it is built, and is not published when two numbers
# differ.

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
from torch.utils.flop_counter import FlopCounterMode

torch.set_num_threads(1)
torch.manual_seed(0)

here = Path(globals().get("__file__", "notebook")).parent
places = [os.environ.get("NUMBERS_JSON", ""), *sys.argv[1:],
          here / "numbers.json", here.parent / "numbers.json"]
found = [Path(p) for p in places
         if Path(p).name == "numbers.json" and Path(p).is_file()]
if not found:
    raise FileNotFoundError("put the site's numbers.json beside this file")

published = {}   # {page: {name: what numbers.json says of it}}
for path, page in json.loads(found[0].read_text("utf-8"))["pages"].items():
    *_, folder, name = path.removesuffix(".md").split("/")
    slug = folder if name == "index" and folder != "docs" else name
    published[slug] = {value["name"]: value for value in page["values"]}

# %% [markdown]
# One function compares. Whole numbers and texts must be equal. So must other numbers, unless a call says how far apart
# the two may be, as a share of the number. Where the lesson itself says that another machine may differ, its own
# tolerance holds. Differences are collected, and told together at the end.

# %%
LAST_BITS = 1e-12   # both routes round to float64, at other steps
SEARCHED = 1e-6     # a search finds a flat minimum no more precisely

compared, differences = set(), []


def check(page, within=0.0, **recomputed):
    for name, mine in recomputed.items():
        compared.add((page, name))
        entry = published.get(page, {}).get(name)
        theirs = entry and f"{entry['value']} {entry['unit']}".strip()
        if entry and same(mine, entry, within):
            print(f"{name}: {theirs}")
            continue
        message = (f"recomputed {name}: {mine}, "
                   f"published {theirs or 'nothing'}")
        print(f"DIFFERS: {message}")
        differences.append(f"{page}: {message}")


def same(mine, entry, within):
    text = entry["value"]
    if isinstance(mine, (str, bool)):
        return str(mine) == text
    try:
        exact = "/" in text or text.lstrip("-").isdigit()
        theirs = Fraction(text) if exact else Fraction(float(text))
    except (ValueError, OverflowError):
        return False   # a text, or infinite
    apart = abs(Fraction(mine) - theirs)
    return apart <= max(abs(theirs) * Fraction(within),
                        Fraction(entry["tolerance"]))


# %% [markdown]
# ## The model
#
# The lesson counts parameters and FLOPs component by component. Here GPT-2 is built instead, on torch's `meta` device,
# where tensors have shapes and no numbers. Its parameters are counted by asking the tensors, and its FLOPs by torch's own
# counter, which watches the matrix multiplications go by.

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
            torch.nn.TransformerEncoderLayer(
                d_model, n_head, 4 * d_model, dropout=0, norm_first=True)
            for _ in range(n_layer))
        self.norm = torch.nn.LayerNorm(d_model)
        self.positions = 0   # that went through

    def forward(self, tokens, cache=None):
        """Logits. cache: {layer: (k, v)} of the positions before."""
        past = cache[0][0].size(2) if cache else 0
        B, T = tokens.shape
        self.positions += T
        x = self.token[tokens] + self.position[past:past + T]
        for layer, block in enumerate(self.blocks):
            inside = block.self_attn
            qkv = F.linear(block.norm1(x), inside.in_proj_weight,
                           inside.in_proj_bias)
            q, k, v = (part.view(B, T, self.n_head, -1).transpose(1, 2)
                       for part in qkv.chunk(3, dim=-1))
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
    cache = {layer: (past, past) for layer in range(N_LAYER)}
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
# ## Mixed precision
#
# **Formats.** The lesson asks torch for the limits of each format. A 16-bit format is small enough to look at every bit
# pattern there is. float32 has too many; its numbers follow from its two field widths.

# %%
patterns = torch.arange(2**16).to(torch.uint16)


def every_number(dtype):
    """All finite numbers above zero, in order, exact in float64."""
    values = patterns.view(dtype).double()
    return values[values.isfinite() & (values > 0)].sort().values


def limits(numbers):
    """largest, smallest normal, smallest, gap after one, fields"""
    gaps = numbers.diff()
    in_octave = int(((1 <= numbers) & (numbers < 2)).sum())
    fraction_bits = in_octave.bit_length() - 1
    # below the smallest normal number the gaps no longer shrink
    normal = numbers[in_octave - 1]
    assert gaps[in_octave] == gaps[0] < gaps[2 * in_octave]
    return {
        "largest": numbers[-1].item(), "normal": normal.item(),
        "smallest": numbers[0].item(),
        "gap": (numbers[numbers > 1][0] - 1).item(),
        "fraction": fraction_bits, "exponent": 15 - fraction_bits}


fp16 = limits(every_number(torch.float16))
bf16 = limits(every_number(torch.bfloat16))
# IEEE 754, binary32: 8 exponent bits, 23 fraction bits, bias 127
fp32 = {"largest": (2 - 2.0**-23) * 2.0**127, "normal": 2.0**-126,
        "smallest": 2.0 ** (-126 - 23), "gap": 2.0**-23}

check("mixed-precision",
      fp16_exponent=fp16["exponent"], fp16_fraction=fp16["fraction"],
      bf16_exponent=bf16["exponent"], bf16_fraction=bf16["fraction"])
check("mixed-precision", fp32_largest=fp32["largest"],
      bf16_largest=bf16["largest"], fp16_largest=fp16["largest"])
check("mixed-precision", fp32_normal=fp32["normal"],
      bf16_normal=bf16["normal"], fp16_normal=fp16["normal"])
check("mixed-precision", fp32_smallest=fp32["smallest"],
      bf16_smallest=bf16["smallest"], fp16_smallest=fp16["smallest"])
check("mixed-precision", fp32_gap=fp32["gap"], bf16_gap=bf16["gap"],
      fp16_gap=fp16["gap"])

# %% [markdown]
# **Rounding.** The lesson casts with torch. Here every number is an exact fraction, and rounding is four lines: find the
# gap at the number's size, and round to a multiple of it. Python's `round` takes a tie to the even neighbour, as the
# formats do.

# %%
FIELDS = {"float16": (10, -14), "bfloat16": (7, -126), "float32": (23, -126)}


def rounded(x, name):
    """x to the nearest number of the format, while that is finite."""
    fraction_bits, least = FIELDS[name]
    exponent = max(math.frexp(x)[1] - 1, least)   # 2^e <= |x| < 2^(e+1)
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
check("mixed-precision", weight=weight, update=update,
      small_gradient=small, increment=increment)

check("mixed-precision", counter_bf16=stall(1.0, "bfloat16")[0],
      counter_fp16=stall(1.0, "float16")[0])
# the first whole number float32 lacks is one above 2 to the power of
# its fraction bits and one more
first_lost = next(2**bits + 1 for bits in range(64)
                  if rounded(2**bits + 1, "float32") != 2**bits + 1)
check("mixed-precision", fp32_integers=first_lost - 1)

check("mixed-precision", small_in_fp16=rounded(small, "float16"),
      small_in_bf16=rounded(small, "bfloat16"))
check("mixed-precision",
      updated_fp16=run(weight, update, "float16", 1)[1],
      updated_bf16=run(weight, update, "bfloat16", 1)[1],
      updated_fp32=run(weight, update, "float32", 1)[1])

# %% [markdown]
# **Thresholds.** The lesson halves a gap. Here the smallest number that moves a weight of one is searched for among all
# numbers of the format; the threshold is the number just below it, which is a tie.

# %%
thresholds = {}
for name, dtype in (("float16", torch.float16), ("bfloat16", torch.bfloat16)):
    stays = 0.0
    for x in every_number(dtype).tolist():
        if rounded(1 + Fraction(x), name) > 1:
            break
        stays = x
    thresholds[name] = stays

check("mixed-precision", threshold_fp16=thresholds["float16"],
      threshold_bf16=thresholds["bfloat16"])
check("mixed-precision",
      on_the_line=rounded(1 + Fraction(thresholds["float16"]), "float16"))
check("mixed-precision", within=LAST_BITS,
      short_fp16=Fraction(thresholds["float16"]) / Fraction(update),
      short_bf16=Fraction(thresholds["bfloat16"]) / Fraction(update))
# the gap at a weight just under two is that at one: half of it is this
# share of the weight
below_two = 2 - Fraction(bf16["gap"])
sure = Fraction(thresholds["bfloat16"]) / (below_two + Fraction(bf16["gap"]))
check("mixed-precision", sure_to_stall=sure)

# %%
many, shown = 1000, 100
check("mixed-precision", many=many, shown_updates=shown)
masters = run(weight, update, "float32", many)
check("mixed-precision",
      stuck_fp16=run(weight, update, "float16", many)[many],
      stuck_bf16=run(weight, update, "bfloat16", many)[many],
      moved_fp32=masters[many], first_master=masters[1])

copies = {name: [rounded(m, name) for m in masters[:shown + 1]]
          for name in ("float16", "bfloat16")}
moved_at = {name: next(n for n, c in enumerate(values) if c != values[0])
            for name, values in copies.items()}
check("mixed-precision", fp16_moves_at=moved_at["float16"],
      bf16_moves_at=moved_at["bfloat16"],
      first_bf16_copy=copies["bfloat16"][moved_at["bfloat16"]])

# 4,096 products of one, added up in float32, rounded once
matmul_sum = rounded(run(0, 1.0, "float32", 4096)[4096], "bfloat16")
check("mixed-precision", matmul_sum=matmul_sum)

fp16_stall, fp16_adds = stall(increment, "float16")
bf16_stall, bf16_adds = stall(increment, "bfloat16")
check("mixed-precision", fp16_stall=fp16_stall, fp16_adds=fp16_adds,
      bf16_stall=bf16_stall, bf16_adds=bf16_adds)

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


check("mixed-precision", weights_dtype=name_of(model[0].weight.dtype),
      grad_dtype=name_of(model[0].weight.grad.dtype),
      inside_forward=name_of(seen["forward"]),
      inside_backward=name_of(seen["backward"]))

# %% [markdown]
# **Loss scale.** The lesson sends a gradient through a graph. Here the same road is walked by rounding: to float32 where
# the loss is taken, times the scale, to the format of the graph, and divided again.

# %%
settings = inspect.signature(torch.amp.GradScaler).parameters
scale = settings["init_scale"].default
check("mixed-precision", loss_scale=scale)


def arrives(gradient, name, scale=1):
    sent = rounded(rounded(gradient, "float32") * Fraction(scale), name)
    if abs(sent) > Fraction({"float16": fp16, "bfloat16": bf16}[name]["largest"]):
        return "inf"
    return rounded(sent / Fraction(scale), "float32")


check("mixed-precision", unscaled_fp16=arrives(small, "float16"),
      scaled_fp16=arrives(small, "float16", scale),
      overflowed=arrives(1.0, "float16", scale),
      unscaled_bf16=arrives(small, "bfloat16"))

# One step of AdamW on a weight of one, in float16 throughout: a small
# gradient's square and the constant that guards the division are zero.
gradient = rounded(update, "float16")
mean_square = rounded(rounded(1 - 0.999, "float16") * gradient**2, "float16")
guard = rounded(1e-8, "float16")
after_adam = "finite" if mean_square + guard else "-inf"
check("mixed-precision", after_adam=after_adam)

# %% [markdown]
# **Memory.** The lesson adds up a table of bytes. Here one step of Adam is made, and its tensors are asked. For the
# recipe with a separate master weight, the tensors are made by hand. What autograd keeps, the lesson measures; here it is
# a list of what each backward pass needs.

# %%
def bytes_after_a_step(autocast):
    layer = torch.nn.Linear(10, 10, bias=False)
    optimizer = torch.optim.Adam(layer.parameters())
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
        layer(torch.ones(1, 10)).float().sum().backward()
    optimizer.step()
    state = optimizer.state[layer.weight]
    held = [layer.weight, layer.weight.grad,
            state["exp_avg"], state["exp_avg_sq"]]
    return sum(t.nbytes for t in held) // layer.weight.numel()


half, single = torch.zeros(1, dtype=torch.bfloat16), torch.zeros(1)
with_master = [half, half.clone(), single, single.clone(), single.clone()]
check("mixed-precision", float32_bytes=bytes_after_a_step(False),
      mixed_bytes=bytes_after_a_step(True),
      master_bytes=sum(t.nbytes for t in with_master),
      state_bytes=bytes_after_a_step(True) * n_parameters)


def kept_for_backward(layers, vocab, batch, length, wide, narrow):
    """Bytes. wide: of a number in the residual stream, in float32.
    narrow: of a number inside a layer."""
    rows = batch * length
    x = rows * D_MODEL                           # numbers in an activation
    norm = wide * x + 2 * 4 * rows               # input, mean, deviation
    matrix = batch * N_HEAD * length**2          # attention weights
    attend = narrow * (x + 3 * x + matrix + x)   # in; q, k, v; ...; out
    forward = narrow * (x + 4 * x + 4 * x)       # in, GELU's in and out
    mask = length**2                             # one byte each
    layer = norm + attend + mask + norm + forward
    logits = norm + narrow * x
    loss = 4 * rows * vocab + 4                  # log-probabilities, weight
    return (layers * layer + logits + loss
            + 8 * rows + 8 * length)             # token and position ids


kept_fp32 = kept_for_backward(2, 1024, 4, 128, wide=4, narrow=4)
kept_bf16 = kept_for_backward(2, 1024, 4, 128, wide=4, narrow=2)
check("mixed-precision", kept_fp32=kept_fp32, kept_bf16=kept_bf16,
      kept_share=kept_bf16 / kept_fp32)

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
check("kv-cache", prompt_len=P, new_tokens=T, late_step=T,
      same_tokens=torch.equal(plain, quick))
check("kv-cache", step_1=without[0], step_2=without[1], step_3=without[2],
      cached_step_2=with_cache[1])
# all but the newest position were there a step before
check("kv-cache", again_2=without[1] - 1, again_3=without[2] - 1,
      again_late=without[T - 1] - 1)
check("kv-cache", counted_without=sum(without),
      counted_with=sum(with_cache), last_without=without[-1],
      last_with=with_cache[-1])

first, third = {}, {}
with torch.no_grad():
    small_gpt(plain[:, :P], first)
    small_gpt(plain[:, :P + 2], third)
apart = max((new[:, :, :P] - old).abs().max().item()
            for layer in first
            for old, new in zip(first[layer], third[layer]))
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
    return [[sum(column) for column in zip(*count(prompt, steps, cached))]
            for cached in (False, True)]


(positions_without, _, work), (positions_with, _, less_work) = totals(P, T)
check("kv-cache", positions_without=positions_without,
      positions_with=positions_with,
      fewer_positions=positions_without / positions_with,
      fewer_flops=work / less_work)

(from_one, pairs, _), (from_one_cached, pairs_cached, _) = totals(1, 100)
(longer, _, _), (longer_cached, _, _) = totals(1, 1000)
check("kv-cache", from_one_without=from_one, from_one_with=from_one_cached,
      pairs_without=pairs, pairs_with=pairs_cached,
      longer_without=longer, longer_with=longer_cached)
check("kv-cache", from_one_ratio=from_one / from_one_cached,
      pairs_ratio=pairs / pairs_cached,
      longer_ratio=longer / longer_cached)

# %% [markdown]
# **Time.** Work and traffic of the step that fills the context, and the two speeds of an accelerator. The traffic is what
# the model's and the cache's tensors hold, in 16-bit numbers.

# %%
# NVIDIA A100 80 GB datasheet (2022-05), column SXM: dense 16-bit peak
A100_PEAK, A100_BANDWIDTH = 312e12, 2.039e12
check("kv-cache", full=CONTEXT, a100_peak=A100_PEAK,
      a100_bandwidth=A100_BANDWIDTH)

steps = count(1, CONTEXT, cached=False)
cached_steps = count(1, CONTEXT, cached=True)
check("kv-cache",
      last_step_ratio=steps[-1][2] / cached_steps[-1][2],
      last_to_first=steps[-1][2] / steps[0][2],
      run_ratio=sum(s[2] for s in steps) / sum(s[2] for s in cached_steps))


def cache_bytes(n_layer, n_kv_head, head_dim, length, batch=1):
    shape = (n_layer, 2, batch, n_kv_head, length, head_dim)   # 2: K and V
    return torch.empty(shape, dtype=torch.float16, device="meta").nbytes


weights = {name: p.half() for name, p in gpt2.named_parameters()}
weights_bytes = sum(p.nbytes for p in weights.values())
one_row = weights["position"][:1].numel() * 2
traffic_without = weights_bytes
traffic_with = (weights_bytes - weights["position"].nbytes + one_row
                + cache_bytes(N_LAYER, N_HEAD, HEAD_DIM, CONTEXT))
check("kv-cache", traffic_with=traffic_with)

times = {}
for way, work, traffic in (("without", steps[-1][2], traffic_without),
                           ("with", cached_steps[-1][2], traffic_with)):
    times[way] = sorted([(work / A100_PEAK, "compute"),
                         (traffic / A100_BANDWIDTH, "memory")])[-1]
check("kv-cache", time_without=times["without"][0],
      time_with=times["with"][0], bound_without=times["without"][1],
      bound_with=times["with"][1])
check("kv-cache", within=LAST_BITS,
      time_ratio=times["without"][0] / times["with"][0])

# %% [markdown]
# **Memory.** The lesson multiplies sizes. Here the cache is a tensor of that shape, and says how large it is.

# %%
check("kv-cache", n_layer=N_LAYER, n_head=N_HEAD, head_dim=HEAD_DIM,
      bytes_per_number=torch.finfo(torch.float16).bits // 8,
      one_mib=1 << 20)
one_sequence = cache_bytes(N_LAYER, N_HEAD, HEAD_DIM, CONTEXT)
check("kv-cache", one_sequence=one_sequence,
      batch_of_32=cache_bytes(N_LAYER, N_HEAD, HEAD_DIM, CONTEXT, 32),
      per_token=cache_bytes(N_LAYER, N_HEAD, HEAD_DIM, 1))
contexts = 0
while contexts * one_sequence <= weights_bytes:
    contexts += 1
check("kv-cache", weights_bytes=weights_bytes, contexts=contexts)

# Grattafiori et al. 2024, Table 3: layers, heads, KV heads, width
layers_70b, heads_70b, kv_heads_70b, width_70b = 80, 64, 8, 8192
head_dim_70b = width_70b // heads_70b
shared = cache_bytes(layers_70b, kv_heads_70b, head_dim_70b, 1)
unshared = cache_bytes(layers_70b, heads_70b, head_dim_70b, 1)
check("kv-cache", query_heads=heads_70b, kv_heads=kv_heads_70b,
      shared=shared, unshared=unshared, sharing_saves=unshared / shared)

# %% [markdown]
# ## The reckoning
#
# How many numbers were compared, which published ones were not, and every difference.

# %%
left_out = [(page, name) for page, values in published.items()
            for name in values if (page, name) not in compared]
print(f"{len(compared)} numbers compared, {len(differences)} differ")
print(f"{len(left_out)} published numbers were not compared:")
for page, name in left_out:
    print(f"  {page}: {name}")
if differences:
    raise AssertionError("\n".join(differences))
