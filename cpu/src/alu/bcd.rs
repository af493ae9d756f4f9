//! Decimal adjustment (SDM vol. 2, "AAA", "AAS", "AAM", "AAD", "DAA", "DAS").
//!
//! Flags that the manual leaves undefined follow P6 and later silicon.

use super::flags::{AF, CF, Flags};

/// DAA: AL and flags.
pub fn daa(al: u8, flags: &Flags) -> (u8, Flags) {
    let mut r = al;
    let mut bits = 0;
    if al & 0xF > 9 || flags.af() {
        r = r.wrapping_add(6);
        bits |= AF;
    }
    if al > 0x99 || flags.cf() {
        r = r.wrapping_add(0x60);
        bits |= CF;
    }
    (r, Flags::of_result(r, bits))
}

/// DAS: AL and flags.
pub fn das(al: u8, flags: &Flags) -> (u8, Flags) {
    let mut r = al;
    let mut bits = 0;
    if al & 0xF > 9 || flags.af() {
        bits |= AF;
        if r < 6 || flags.cf() {
            bits |= CF;
        }
        r = r.wrapping_sub(6);
    }
    if al > 0x99 || flags.cf() {
        r = r.wrapping_sub(0x60);
        bits |= CF;
    }
    (r, Flags::of_result(r, bits))
}

/// AAA: AX and flags.
pub fn aaa(ax: u16, flags: &Flags) -> (u16, Flags) {
    let adjust = ax & 0xF > 9 || flags.af();
    let r = if adjust { ax.wrapping_add(0x106) } else { ax } & 0xFF0F;
    (
        r,
        Flags::of_result(r as u8, if adjust { AF | CF } else { 0 }),
    )
}

/// AAS: AX and flags.
pub fn aas(ax: u16, flags: &Flags) -> (u16, Flags) {
    let adjust = ax & 0xF > 9 || flags.af();
    let r = if adjust { ax.wrapping_sub(0x106) } else { ax } & 0xFF0F;
    (
        r,
        Flags::of_result(r as u8, if adjust { AF | CF } else { 0 }),
    )
}

/// AAM: AX and flags; `None` is #DE.
pub fn aam(al: u8, base: u8) -> Option<(u16, Flags)> {
    let (high, low) = (al.checked_div(base)?, al % base);
    Some((
        u16::from(high) << 8 | u16::from(low),
        Flags::of_result(low, 0),
    ))
}

/// AAD: AX and flags.
pub fn aad(ax: u16, base: u8) -> (u16, Flags) {
    let r = (ax as u8).wrapping_add(((ax >> 8) as u8).wrapping_mul(base));
    (r.into(), Flags::of_result(r, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_sums_and_differences_are_adjusted() {
        let f = Flags::of_add(0x79u8, 0xAE, false);
        let (r, f) = daa(0xAE, &f);
        assert_eq!((r, f.cf()), (0x14, true));
        let f = Flags::of_sub(0x35u8, 0x47, false);
        let (r, f) = das(0xEE, &f);
        assert_eq!((r, f.cf()), (0x88, true));
    }

    #[test]
    fn aam_by_zero_is_a_divide_error() {
        assert!(aam(5, 0).is_none());
        assert_eq!(aam(63, 10).map(|r| r.0), Some(0x0603));
        assert_eq!(aad(0x0603, 10).0, 63);
    }
}
