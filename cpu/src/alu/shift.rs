//! Shifts and rotates (SDM vol. 2, "SAL/SAR/SHL/SHR", "RCL/RCR/ROL/ROR", "SHLD", "SHRD").
//!
//! Each function takes a count already masked to 5 (or 6) bits and not 0. Where the manual leaves OF or AF undefined
//! the value is that of P6 and later silicon: OF as for a one-bit shift of the last step, AF cleared.

use super::flags::{CF, Flags, OF};
use super::int::Int;

fn flags_of<T: Int>(result: T, cf: bool, of: bool) -> Flags {
    Flags::of_result(result, if cf { CF } else { 0 } | if of { OF } else { 0 })
}

/// SHL.
#[inline(always)]
pub fn shl<T: Int>(a: T, count: u32) -> (T, Flags) {
    let v = a.to_u64();
    let r = T::from_u64(v << count);
    // The last bit that went out at the top.
    let cf = if T::BITS == 64 {
        v >> (64 - count)
    } else {
        v << count >> T::BITS
    } & 1
        != 0;
    (r, flags_of(r, cf, (r.to_u64() & T::SIGN != 0) != cf))
}

/// SHR.
#[inline(always)]
pub fn shr<T: Int>(a: T, count: u32) -> (T, Flags) {
    // Before the last one-bit step; OF is the most significant bit then.
    let last = a.to_u64() >> (count - 1);
    let r = T::from_u64(last >> 1);
    (r, flags_of(r, last & 1 != 0, last & T::SIGN != 0))
}

/// SAR.
#[inline(always)]
pub fn sar<T: Int>(a: T, count: u32) -> (T, Flags) {
    let wide = a.to_i64();
    let r = T::from_u64((wide >> count.min(63)) as u64);
    let cf = (wide >> (count - 1).min(63)) & 1 != 0;
    (r, flags_of(r, cf, false))
}

/// ROL. Only CF and OF change.
#[inline(always)]
pub fn rol<T: Int>(a: T, count: u32, flags: &Flags) -> (T, Flags) {
    let r = a.rotated_left(count);
    let cf = r.to_u64() & 1 != 0;
    let of = (r.to_u64() & T::SIGN != 0) != cf;
    (r, flags.with_cf_of(cf, of))
}

/// ROR. Only CF and OF change.
#[inline(always)]
pub fn ror<T: Int>(a: T, count: u32, flags: &Flags) -> (T, Flags) {
    let r = a.rotated_right(count);
    let cf = r.to_u64() & T::SIGN != 0;
    let of = (r.to_u64() & (T::SIGN >> 1) != 0) != cf;
    (r, flags.with_cf_of(cf, of))
}

/// RCL: rotates through carry. The count is taken modulo the width plus one; 0 then leaves CF as it was, and OF as for
/// an RCL of one step that led to the result.
#[inline]
pub fn rcl<T: Int>(a: T, count: u32, flags: &Flags) -> (T, Flags) {
    let n = count % (T::BITS + 1);
    let (v, mask) = wide_with_carry::<T>(a, flags);
    let v = if n == 0 {
        v
    } else {
        ((v << n) | (v >> (T::BITS + 1 - n))) & mask
    };
    let r = T::from_u64(v as u64);
    let cf = (v >> T::BITS) & 1 != 0;
    (r, flags.with_cf_of(cf, (r.to_u64() & T::SIGN != 0) != cf))
}

/// RCR.
#[inline]
pub fn rcr<T: Int>(a: T, count: u32, flags: &Flags) -> (T, Flags) {
    let n = count % (T::BITS + 1);
    let (v, mask) = wide_with_carry::<T>(a, flags);
    let v = if n == 0 {
        v
    } else {
        ((v >> n) | (v << (T::BITS + 1 - n))) & mask
    };
    let r = T::from_u64(v as u64);
    let cf = (v >> T::BITS) & 1 != 0;
    let of = (r.to_u64() & T::SIGN != 0) != (r.to_u64() & (T::SIGN >> 1) != 0);
    (r, flags.with_cf_of(cf, of))
}

/// The operand with CF above it, and the mask of both.
fn wide_with_carry<T: Int>(a: T, flags: &Flags) -> (u128, u128) {
    let v = u128::from(a.to_u64()) | u128::from(flags.cf()) << T::BITS;
    (v, (1 << (T::BITS + 1)) - 1)
}

/// SHLD. A count above 16 with 16-bit operands shifts in the destination's own bits after the source's, as P6 does
/// (the manual calls the result undefined).
#[inline]
pub fn shld<T: Int>(a: T, b: T, count: u32) -> (T, Flags) {
    if T::BITS == 64 {
        let wide = (u128::from(a.to_u64()) << 64 | u128::from(b.to_u64())) << (count - 1);
        let (cf, r) = (wide >> 127 != 0, T::from_u64((wide << 1 >> 64) as u64));
        return (r, flags_of(r, cf, (a.to_u64() ^ r.to_u64()) & T::SIGN != 0));
    }
    let (a64, b64) = (u128::from(a.to_u64()), u128::from(b.to_u64()));
    let pattern = (a64 << (2 * T::BITS)) | (b64 << T::BITS) | a64;
    let shifted = pattern.checked_shl(count).unwrap_or(0);
    let r = T::from_u64((shifted >> (2 * T::BITS)) as u64);
    let cf = (pattern >> (3 * T::BITS - count)) & 1 != 0;
    (r, flags_of(r, cf, (a64 as u64 ^ r.to_u64()) & T::SIGN != 0))
}

/// SHRD.
#[inline]
pub fn shrd<T: Int>(a: T, b: T, count: u32) -> (T, Flags) {
    if T::BITS == 64 {
        let wide = (u128::from(b.to_u64()) << 64 | u128::from(a.to_u64())) >> (count - 1);
        let (cf, r) = (wide & 1 != 0, T::from_u64((wide >> 1) as u64));
        return (r, flags_of(r, cf, (a.to_u64() ^ r.to_u64()) & T::SIGN != 0));
    }
    let (a64, b64) = (u128::from(a.to_u64()), u128::from(b.to_u64()));
    let pattern = (a64 << (2 * T::BITS)) | (b64 << T::BITS) | a64;
    let r = T::from_u64((pattern >> count) as u64);
    let cf = (pattern >> (count - 1)) & 1 != 0;
    (r, flags_of(r, cf, (a64 as u64 ^ r.to_u64()) & T::SIGN != 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shl_and_shr_move_the_last_bit_out_into_carry() {
        let (r, f) = shl(0x81u8, 1);
        assert_eq!((r, f.cf(), f.of()), (0x02, true, true));
        let (r, f) = shr(0x81u8, 1);
        assert_eq!((r, f.cf(), f.of()), (0x40, true, true));
        let (r, f) = shl(0x01u8, 9);
        assert_eq!((r, f.cf()), (0, false));
        let (r, f) = sar(0x80u8, 31);
        assert_eq!((r, f.cf()), (0xFF, true));
    }

    #[test]
    fn nine_steps_of_rcl_give_a_byte_and_its_carry_back() {
        let f = Flags::explicit(CF);
        let (r, f) = rcl(0x5Au8, 9, &f);
        assert_eq!((r, f.cf()), (0x5A, true));
        let (r, f) = rcl(0x80u8, 1, &Flags::explicit(0));
        assert_eq!((r, f.cf(), f.of()), (0, true, true));
    }

    #[test]
    fn double_shifts_take_bits_from_the_second_operand() {
        let (r, f) = shld(0x1234u16, 0xABCD, 4);
        assert_eq!((r, f.cf()), (0x234A, true));
        let (r, f) = shrd(0x1234_5678u32, 0x9ABC_DEF0, 8);
        assert_eq!((r, f.cf()), (0xF012_3456, false));
    }
}
