"""Number formats against three independent libraries: numpy, ml_dtypes and gfloat.

numpy has float16 and float32 but no bfloat16; ml_dtypes adds that to numpy. gfloat computes with any format from its
description alone (so many exponent and fraction bits), in float64, and rounds float64 once.
"""

from math import inf, isfinite

import gfloat
import ml_dtypes
import numpy
import pytest
import torch
from gfloat import formats

from scaling_lesson import float_formats as ff

F16, BF16, F32 = torch.float16, torch.bfloat16, torch.float32
DTYPES = [F16, BF16, F32]
HALVES = [F16, BF16]
NUMPY = {F16: numpy.float16, BF16: ml_dtypes.bfloat16, F32: numpy.float32}
GFLOAT = {
    F16: formats.format_info_binary16,
    BF16: formats.format_info_bfloat16,
    F32: formats.format_info_binary32,
}


# -- every 16-bit number -----------------------------------------------------------------------------------------------

CODES = numpy.arange(2**16)


def differing(inputs, a, b):
    """The inputs for which two float64 arrays hold different numbers; -0.0 differs from 0.0, a NaN equals any other."""
    same = (a == b) & (numpy.signbit(a) == numpy.signbit(b)) | numpy.isnan(a) & numpy.isnan(b)
    return inputs[~same].tolist()


@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_every_code_stands_for_the_same_number_in_all_libraries(dtype):
    in_torch = torch.from_numpy(CODES.astype(numpy.uint16).view(numpy.int16)).view(dtype).double().numpy()
    with numpy.errstate(invalid="ignore"):  # half of the NaNs ask for this warning when they are cast
        in_numpy = CODES.astype(numpy.uint16).view(NUMPY[dtype]).astype(numpy.float64)
    in_gfloat = gfloat.decode_ndarray(GFLOAT[dtype], CODES)
    assert differing(CODES, in_torch, in_numpy) == []
    assert differing(CODES, in_torch, in_gfloat) == []
    # All codes of the top exponent are infinities and NaNs: 2 signs x 2^fraction_bits codes.
    assert numpy.isfinite(in_torch).sum() == 2**16 - 2 * {F16: 2**10, BF16: 2**7}[dtype]


def around_midpoints(dtype, codes):
    """Inputs of the next wider dtype: the midpoint of each code's number and the following one, and its two neighbours.

    Both signs. Past the largest number the midpoint is taken as if one more followed: from there on a cast gives
    infinity. A midpoint has one fraction bit more than the format, so the wider dtype holds it exactly.
    """
    wider = numpy.float64 if dtype == F32 else numpy.float32
    numbers = gfloat.decode_ndarray(GFLOAT[dtype], codes)
    following = gfloat.decode_ndarray(GFLOAT[dtype], codes + 1)
    following[numpy.isinf(following)] = 2.0 ** (GFLOAT[dtype].emax + 1)
    midpoints = ((numbers + following) / 2).astype(wider)
    assert numpy.array_equal(midpoints - numbers, following - midpoints)
    below, above = (numpy.nextafter(midpoints, wider(to)) for to in (0, inf))
    assert (below < midpoints).all() and (midpoints < above).all()
    return numpy.concatenate([sign * x for sign in (1, -1) for x in (below, midpoints, above)])


@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_rounding_at_and_around_every_midpoint_is_that_of_all_libraries(dtype):
    inputs = around_midpoints(dtype, CODES[: GFLOAT[dtype].code_of_posinf])
    in_torch = torch.from_numpy(inputs).to(dtype).double().numpy()
    with numpy.errstate(over="ignore"):  # beyond the largest number infinity is the answer
        in_numpy = inputs.astype(NUMPY[dtype]).astype(numpy.float64)
    in_gfloat = gfloat.round_ndarray(GFLOAT[dtype], inputs.astype(numpy.float64))
    assert differing(inputs, in_torch, in_numpy) == []
    assert differing(inputs, in_torch, in_gfloat) == []
    assert numpy.isinf(in_torch).sum() == 4  # from the last midpoint on, either sign


def codes_in_every_binade(dtype):
    """Codes of 0 and above: in 16 bits every 17th and the last; in 32 the ends of each binade and 5 between them.

    A binade of bfloat16 has 128 codes, and 17 is odd, so that each binade gives odd and even ones.
    """
    end = GFLOAT[dtype].code_of_posinf
    if dtype != F32:
        return numpy.append(numpy.arange(0, end, 17), end - 1)
    starts = numpy.arange(0, end, 2**23)
    between = starts[:, None] + numpy.random.default_rng(0).integers(2, 2**23 - 1, (starts.size, 5))
    return numpy.concatenate([starts, starts + 1, starts + 2**23 - 1, between.ravel()])


def numbers_in_every_binade(dtype):
    """(code, number) for each of these codes, as Python numbers."""
    codes = codes_in_every_binade(dtype)
    return list(zip(codes.tolist(), gfloat.decode_ndarray(GFLOAT[dtype], codes).tolist(), strict=True))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_what_is_stored_around_a_midpoint_is_what_gfloat_rounds_to(dtype):
    inputs = around_midpoints(dtype, codes_in_every_binade(dtype)).astype(numpy.float64)
    kept = numpy.array([ff.stored(x, dtype) for x in inputs.tolist()])
    assert differing(inputs, kept, gfloat.round_ndarray(GFLOAT[dtype], inputs)) == []


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_bit_fields_are_the_code_of_each_number_in_every_binade(dtype):
    width, fraction = GFLOAT[dtype].k, GFLOAT[dtype].precision - 1
    for code, number in numbers_in_every_binade(dtype):
        assert ff.stored(number, dtype) == number
        for sign, x in (("0", number), ("1", -number)):
            bits = sign + f"{code:0{width - 1}b}"
            assert ff.bit_fields(x, dtype) == (sign, bits[1:-fraction], bits[-fraction:]), x


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_spacing_is_the_difference_of_neighbouring_codes_in_every_binade(dtype):
    form = GFLOAT[dtype]
    for code, number in numbers_in_every_binade(dtype):
        following = gfloat.decode_float(form, code + 1).fval
        if isfinite(following):
            assert ff.spacing(number, dtype) == ff.spacing(-number, dtype) == following - number, number


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_smaller_updates_than_the_threshold_are_lost_and_larger_ones_are_not_in_every_binade(dtype):
    form, codes = GFLOAT[dtype], codes_in_every_binade(dtype)
    codes = codes[codes + 1 < form.code_of_posinf]  # the largest number has no larger neighbour
    weights, following = gfloat.decode_ndarray(form, codes), gfloat.decode_ndarray(form, codes + 1)
    thresholds = numpy.array([ff.update_threshold(weight, dtype) for weight in weights.tolist()])
    # float64 holds these sums exactly: 24 bits of weight and 20 below its last one.
    smaller, tie, larger = (
        gfloat.round_ndarray(form, weights + thresholds * factor) for factor in (1 - 2**-20, 1, 1 + 2**-20)
    )
    assert differing(weights, smaller, weights) == []
    assert differing(weights, larger, following) == []
    assert differing(weights, tie, numpy.where(codes % 2, following, weights)) == []  # to the one whose last bit is 0


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_a_format_is_what_the_libraries_say_of_it(dtype):
    form, info, in_gfloat = ff.float_format(dtype), ml_dtypes.finfo(NUMPY[dtype]), GFLOAT[dtype]
    assert (form.name, form.dtype) == (numpy.dtype(NUMPY[dtype]).name, dtype)
    ours = (form.bits, form.exponent_bits, form.fraction_bits, form.largest, form.smallest_normal, form.smallest)
    assert ours == (
        info.bits,
        info.nexp,
        info.nmant,
        float(info.max),
        float(info.smallest_normal),
        float(info.smallest_subnormal),
    )
    assert ours == (
        in_gfloat.k,
        in_gfloat.expBits,
        in_gfloat.precision - 1,
        in_gfloat.max,
        in_gfloat.smallest_normal,
        in_gfloat.smallest_subnormal,
    )


@pytest.mark.parametrize("dtype, last", [(F16, 2**11), (BF16, 2**8), (F32, 2**24)], ids=str)
def test_the_first_integer_that_is_rounded_away(dtype, last):
    assert ff.largest_consecutive_integer(dtype) == last
    # All of them in 16 bits; float32's last 2^16, since every smaller one has no more bits than these.
    integers = numpy.arange(max(0, last - 2**16), last + 2)
    for kept in (integers.astype(NUMPY[dtype]), gfloat.round_ndarray(GFLOAT[dtype], integers.astype(numpy.float64))):
        assert integers[kept.astype(numpy.int64) != integers].tolist() == [last + 1]


# -- the lesson's numbers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "dtype, expected", [(F16, ("float16", 5, 10)), (BF16, ("bfloat16", 8, 7)), (F32, ("float32", 8, 23))], ids=str
)
def test_the_three_formats(dtype, expected):
    form = ff.float_format(dtype)
    assert form.dtype == dtype
    assert (form.name, form.exponent_bits, form.fraction_bits) == expected


def test_bit_fields_of_known_numbers():
    assert ff.bit_fields(1.0, F16) == ("0", "01111", "0000000000")
    assert ff.bit_fields(-2.0, BF16) == ("1", "10000000", "0000000")
    assert ff.bit_fields(1.5, F32) == ("0", "01111111", "1" + "0" * 22)
    assert ff.bit_fields(-0.0, F16) == ("1", "00000", "0000000000")


def test_range_1e_minus_8_survives_in_bfloat16_only():
    assert ff.stored(1e-8, F16) == 0.0
    assert f"{ff.stored(1e-8, BF16):.5e}" == "1.00117e-08"
    assert ff.stored(70_000.0, F16) == inf and ff.stored(70_000.0, BF16) == 70_144.0


def test_float64_reaches_16_bits_by_way_of_float32():
    x = 1 + 2**-11 + 2**-40  # just above the midpoint of 1 and the next float16; float32 rounds it to the midpoint
    assert ff.stored(x, F16) == 1.0
    assert numpy.float16(x) == 1 + 2**-10  # one rounding, for comparison
    assert ff.stored(1 + 2**-8 + 2**-40, BF16) == 1.0


def test_the_thresholds_in_decimals():
    assert f"{ff.update_threshold(1.0, F16):.1e}" == "4.9e-04"
    assert f"{ff.update_threshold(1.0, BF16):.1e}" == "3.9e-03"


@pytest.mark.parametrize("dtype", HALVES, ids=str)
@pytest.mark.parametrize("low, high", [(0.9975, 1.0085), (1.0, 1.0), (-1e-7, 2e-7), (-3.01, -2.9), (1.0001, 1.0002)])
def test_the_marks_of_a_ruler_are_all_the_codes_between(dtype, low, high):
    everything = gfloat.decode_ndarray(GFLOAT[dtype], CODES)
    expected = numpy.unique(everything[(everything >= low) & (everything <= high)])  # -0.0 and 0.0 are one
    assert list(dict.fromkeys(ff.numbers_between(low, high, dtype))) == expected.tolist()


def test_the_marks_end_with_the_largest_number():
    assert ff.numbers_between(65440.0, 1e9, F16) == [65440.0, 65472.0, 65504.0]
    assert ff.numbers_between(-1e9, -65500.0, F16) == [-65504.0]
