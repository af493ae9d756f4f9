//! Lazy arithmetic flags: an instruction leaves its operands and result, and a flag is computed when it is read.

use super::int::Int;
use emu_core::x86::Rflags;

/// Carry flag bit.
pub const CF: u64 = Rflags::CF.bits();
/// Parity flag bit.
pub const PF: u64 = Rflags::PF.bits();
/// Auxiliary carry flag bit.
pub const AF: u64 = Rflags::AF.bits();
/// Zero flag bit.
pub const ZF: u64 = Rflags::ZF.bits();
/// Sign flag bit.
pub const SF: u64 = Rflags::SF.bits();
/// Overflow flag bit.
pub const OF: u64 = Rflags::OF.bits();
/// The six arithmetic flags.
pub const ARITHMETIC: u64 = Rflags::ARITHMETIC.bits();

/// How `a` and `r` are to be understood: the low byte of [`Flags::kind`].
mod class {
    /// `a` holds CF, OF and AF as bits; SF, ZF and PF follow from the result `r`.
    pub const RESULT: u8 = 0;
    /// ADD: `a` is the first operand, `r` the result.
    pub const ADD: u8 = 1;
    /// ADC with a carry in.
    pub const ADD_CARRY: u8 = 2;
    /// SUB, CMP: `a` and `r` are the operands.
    pub const SUB: u8 = 3;
    /// SBB with a borrow in.
    pub const SUB_BORROW: u8 = 4;
    /// INC: `a` is the old CF, `r` the result.
    pub const INC: u8 = 5;
    /// DEC: `a` is the old CF, `r` the result.
    pub const DEC: u8 = 6;
    /// `a` holds all six flags as bits.
    pub const EXPLICIT: u8 = 7;
}

/// The arithmetic flags: three words that travel in host registers from one operation to the next.
#[derive(Copy, Clone, Debug)]
pub struct Flags {
    a: u64,
    r: u64,
    /// Bits 0 to 7: one of [`class`]; bits 8 to 15: the index of the sign bit.
    kind: u64,
}

impl Default for Flags {
    fn default() -> Self {
        Self::explicit(0)
    }
}

/// A condition by its encoding in Jcc, SETcc and CMOVcc (SDM vol. 1, appendix B).
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
#[repr(u8)]
#[expect(missing_docs, reason = "the manual's own names")]
pub enum Condition {
    O,
    No,
    B,
    Ae,
    E,
    Ne,
    Be,
    A,
    S,
    Ns,
    P,
    Np,
    L,
    Ge,
    Le,
    G,
}

impl Condition {
    /// The flags that it depends on, as bits of the flags register.
    pub const fn reads(self) -> u64 {
        match self {
            Self::O | Self::No => OF,
            Self::B | Self::Ae => CF,
            Self::E | Self::Ne => ZF,
            Self::Be | Self::A => CF | ZF,
            Self::S | Self::Ns => SF,
            Self::P | Self::Np => PF,
            Self::L | Self::Ge => SF | OF,
            Self::Le | Self::G => ZF | SF | OF,
        }
    }
}

/// AF out of the three words of [`Flags`], out of line.
#[inline(never)]
const fn af_of(a: u64, r: u64, kind: u64) -> bool {
    Flags { a, r, kind }.af()
}

const fn parity(r: u64) -> bool {
    (r as u8).count_ones().is_multiple_of(2)
}

impl Flags {
    #[inline(always)]
    const fn lazy<T: Int>(class: u8, a: u64, r: u64) -> Self {
        let kind = class as u64 | ((T::BITS - 1) as u64) << 8;
        Self { a, r, kind }
    }

    /// The flags out of their three words.
    #[inline(always)]
    pub const fn from_words([a, r, kind]: [u64; 3]) -> Self {
        Self { a, r, kind }
    }

    /// The three words.
    #[inline(always)]
    pub const fn words(&self) -> [u64; 3] {
        [self.a, self.r, self.kind]
    }

    #[inline(always)]
    const fn class(&self) -> u8 {
        self.kind as u8
    }

    /// Index of the sign bit.
    #[inline(always)]
    const fn sign(&self) -> u32 {
        (self.kind >> 8) as u32 & 63
    }

    /// All six flags given as bits of the flags register.
    #[inline(always)]
    pub const fn explicit(bits: u64) -> Self {
        Self {
            a: bits,
            r: 0,
            kind: class::EXPLICIT as u64,
        }
    }

    /// CF, OF and AF given; the others from the result.
    #[inline(always)]
    pub fn of_result<T: Int>(result: T, cf_of_af: u64) -> Self {
        Self::lazy::<T>(class::RESULT, cf_of_af, result.to_u64())
    }

    /// After `a + b (+ carry)`.
    #[inline(always)]
    pub fn of_add<T: Int>(a: T, result: T, carry: bool) -> Self {
        let class = if carry { class::ADD_CARRY } else { class::ADD };
        Self::lazy::<T>(class, a.to_u64(), result.to_u64())
    }

    /// After `a - b (- borrow)`.
    #[inline(always)]
    pub fn of_sub<T: Int>(a: T, b: T, borrow: bool) -> Self {
        let class = if borrow {
            class::SUB_BORROW
        } else {
            class::SUB
        };
        Self::lazy::<T>(class, a.to_u64(), b.to_u64())
    }

    /// After INC: CF stays.
    #[inline(always)]
    pub fn of_inc<T: Int>(result: T, cf: bool) -> Self {
        Self::lazy::<T>(class::INC, cf.into(), result.to_u64())
    }

    /// After DEC: CF stays.
    #[inline(always)]
    pub fn of_dec<T: Int>(result: T, cf: bool) -> Self {
        Self::lazy::<T>(class::DEC, cf.into(), result.to_u64())
    }

    #[inline(always)]
    const fn mask(&self) -> u64 {
        u64::MAX >> (63 - self.sign())
    }

    /// The result that SF, ZF and PF describe.
    #[inline(always)]
    const fn result(&self) -> u64 {
        match self.class() {
            class::SUB => self.a.wrapping_sub(self.r) & self.mask(),
            class::SUB_BORROW => self.a.wrapping_sub(self.r).wrapping_sub(1) & self.mask(),
            _ => self.r,
        }
    }

    /// The other operand of an addition.
    #[inline(always)]
    const fn addend(&self) -> u64 {
        let b = self.r.wrapping_sub(self.a);
        if matches!(self.class(), class::ADD_CARRY) {
            b.wrapping_sub(1)
        } else {
            b
        }
    }

    /// Carry.
    #[inline(always)]
    pub const fn cf(&self) -> bool {
        match self.class() {
            class::RESULT | class::EXPLICIT => self.a & CF != 0,
            class::ADD => self.r < self.a,
            class::ADD_CARRY => self.r <= self.a,
            class::SUB => self.a < self.r,
            class::SUB_BORROW => self.a <= self.r,
            _ => self.a != 0,
        }
    }

    /// Zero.
    #[inline(always)]
    pub const fn zf(&self) -> bool {
        match self.class() {
            class::EXPLICIT => self.a & ZF != 0,
            class::SUB => self.a == self.r,
            _ => self.result() == 0,
        }
    }

    /// Sign.
    #[inline(always)]
    pub const fn sf(&self) -> bool {
        match self.class() {
            class::EXPLICIT => self.a & SF != 0,
            _ => (self.result() >> self.sign()) & 1 != 0,
        }
    }

    /// Parity of the low byte.
    #[inline(always)]
    pub const fn pf(&self) -> bool {
        match self.class() {
            class::EXPLICIT => self.a & PF != 0,
            _ => parity(self.result()),
        }
    }

    /// Overflow.
    #[inline(always)]
    pub const fn of(&self) -> bool {
        match self.class() {
            class::RESULT | class::EXPLICIT => self.a & OF != 0,
            class::ADD | class::ADD_CARRY => {
                ((self.a ^ self.r) & (self.addend() ^ self.r)) >> self.sign() & 1 != 0
            }
            class::SUB | class::SUB_BORROW => {
                ((self.a ^ self.r) & (self.a ^ self.result())) >> self.sign() & 1 != 0
            }
            class::INC => self.r == 1 << self.sign(),
            _ => self.r == (1 << self.sign()) - 1,
        }
    }

    /// Carry out of bit 3.
    #[inline(always)]
    pub const fn af(&self) -> bool {
        match self.class() {
            class::RESULT | class::EXPLICIT => self.a & AF != 0,
            class::ADD | class::ADD_CARRY => (self.a ^ self.addend() ^ self.r) & 0x10 != 0,
            class::SUB | class::SUB_BORROW => (self.a ^ self.r ^ self.result()) & 0x10 != 0,
            class::INC => self.r & 0xF == 0,
            _ => self.r & 0xF == 0xF,
        }
    }

    /// All six as bits of the flags register.
    pub const fn bits(&self) -> u64 {
        if let class::EXPLICIT = self.class() {
            return self.a & ARITHMETIC;
        }
        (self.cf() as u64 * CF)
            | (self.pf() as u64 * PF)
            | (self.af() as u64 * AF)
            | (self.zf() as u64 * ZF)
            | (self.sf() as u64 * SF)
            | (self.of() as u64 * OF)
    }

    /// These flags with some replaced: `values` counts where `mask` is set.
    #[must_use]
    pub const fn with(&self, mask: u64, values: u64) -> Self {
        Self::explicit((self.bits() & !mask) | (values & mask))
    }

    /// These flags with CF and OF replaced.
    #[must_use]
    #[inline(always)]
    pub const fn with_cf_of(&self, cf: bool, of: bool) -> Self {
        let new = (cf as u64 * CF) | (of as u64 * OF);
        match self.class() {
            class::RESULT | class::EXPLICIT => Self {
                a: (self.a & !(CF | OF)) | new,
                ..*self
            },
            _ => Self {
                a: (af_of(self.a, self.r, self.kind) as u64 * AF) | new,
                r: self.result(),
                kind: class::RESULT as u64 | (self.kind & !0xFF),
            },
        }
    }

    /// Whether a condition holds.
    #[inline(always)]
    pub const fn holds(&self, c: Condition) -> bool {
        match c {
            Condition::O => self.of(),
            Condition::No => !self.of(),
            Condition::B => self.cf(),
            Condition::Ae => !self.cf(),
            Condition::E => self.zf(),
            Condition::Ne => !self.zf(),
            Condition::Be => self.below_or_equal(),
            Condition::A => !self.below_or_equal(),
            Condition::S => self.sf(),
            Condition::Ns => !self.sf(),
            Condition::P => self.pf(),
            Condition::Np => !self.pf(),
            Condition::L => self.less(),
            Condition::Ge => !self.less(),
            Condition::Le => self.less_or_equal(),
            Condition::G => !self.less_or_equal(),
        }
    }

    #[inline(always)]
    const fn below_or_equal(&self) -> bool {
        match self.class() {
            class::SUB => self.a <= self.r,
            _ => self.cf() || self.zf(),
        }
    }

    /// Operands of a subtraction as signed numbers.
    #[inline(always)]
    const fn signed(&self) -> (i64, i64) {
        let shift = 63 - self.sign();
        ((self.a << shift) as i64, (self.r << shift) as i64)
    }

    #[inline(always)]
    const fn less(&self) -> bool {
        if let class::SUB = self.class() {
            let (a, b) = self.signed();
            return a < b;
        }
        self.sf() != self.of()
    }

    #[inline(always)]
    const fn less_or_equal(&self) -> bool {
        if let class::SUB = self.class() {
            let (a, b) = self.signed();
            return a <= b;
        }
        self.zf() || self.sf() != self.of()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The flags of an 8-bit addition, computed bit by bit as an adder does.
    fn adder(a: u8, b: u8, carry: bool) -> (u8, u64) {
        let (mut c, mut r, mut into_top, mut half) = (carry, 0u8, false, false);
        for i in 0..8 {
            let (x, y) = (a >> i & 1 != 0, b >> i & 1 != 0);
            if i == 4 {
                half = c;
            }
            if i == 7 {
                into_top = c;
            }
            r |= u8::from(x ^ y ^ c) << i;
            c = (x && y) || (c && (x || y));
        }
        let mut f = 0;
        f |= if c { CF } else { 0 };
        f |= if half { AF } else { 0 };
        f |= if c != into_top { OF } else { 0 };
        f |= if r == 0 { ZF } else { 0 };
        f |= if r & 0x80 != 0 { SF } else { 0 };
        f |= if r.count_ones() % 2 == 0 { PF } else { 0 };
        (r, f)
    }

    #[test]
    fn every_8_bit_sum_and_difference_has_the_adders_flags() {
        for a in 0..=255u8 {
            for b in 0..=255u8 {
                for c in [false, true] {
                    let (r, f) = adder(a, b, c);
                    assert_eq!(Flags::of_add(a, r, c).bits(), f, "{a}+{b}+{c}");
                    // a - b - c is a + !b + !c with carry and half carry inverted.
                    let (_, f) = adder(a, !b, !c);
                    assert_eq!(Flags::of_sub(a, b, c).bits(), f ^ CF ^ AF, "{a}-{b}-{c}");
                }
            }
        }
    }

    #[test]
    fn conditions_agree_with_comparison_of_integers() {
        for a in 0..=255u8 {
            for b in 0..=255u8 {
                let lazy = Flags::of_sub(a, b, false);
                for f in [lazy, Flags::explicit(lazy.bits())] {
                    let (x, y) = (a as i8, b as i8);
                    assert_eq!(f.holds(Condition::B), a < b);
                    assert_eq!(f.holds(Condition::Be), a <= b);
                    assert_eq!(f.holds(Condition::L), x < y);
                    assert_eq!(f.holds(Condition::Le), x <= y);
                    assert_eq!(f.holds(Condition::E), a == b);
                    assert_eq!(f.holds(Condition::O), x.checked_sub(y).is_none());
                }
            }
        }
    }

    #[test]
    fn replacing_cf_and_of_leaves_the_others() {
        for a in 0..=255u8 {
            for b in 0..=255u8 {
                let (sum, difference) = (a.wrapping_add(b), a.wrapping_sub(b));
                for old in [
                    Flags::of_add(a, sum, false),
                    Flags::of_add(a, sum.wrapping_add(1), true),
                    Flags::of_sub(a, b, false),
                    Flags::of_sub(a, b, true),
                    Flags::of_inc(a, b & 1 != 0),
                    Flags::of_dec(a, b & 1 != 0),
                    Flags::of_result(a, u64::from(b) & (CF | AF)),
                    Flags::explicit(u64::from(difference) << 4 | u64::from(b)),
                ] {
                    for (cf, of) in [(false, false), (true, false), (false, true), (true, true)] {
                        let values = if cf { CF } else { 0 } | if of { OF } else { 0 };
                        let expected = old.with(CF | OF, values).bits();
                        assert_eq!(old.with_cf_of(cf, of).bits(), expected, "{old:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_condition_depends_on_what_it_says() {
        use crate::exec::data::CONDITIONS;
        for c in CONDITIONS {
            let mut depends = 0;
            for flag in [CF, PF, AF, ZF, SF, OF] {
                for others in 0..=ARITHMETIC {
                    let holds = |bits| Flags::explicit(bits & ARITHMETIC).holds(c);
                    if holds(others | flag) != holds(others & !flag) {
                        depends |= flag;
                    }
                }
            }
            assert_eq!(c.reads(), depends, "{c:?}");
        }
    }

    #[test]
    fn inc_and_dec_keep_carry() {
        for a in 0..=255u8 {
            for c in [false, true] {
                let r = a.wrapping_add(1);
                let expected = (adder(a, 1, false).1 & !CF) | u64::from(c);
                assert_eq!(Flags::of_inc(r, c).bits(), expected);
                let r = a.wrapping_sub(1);
                let expected = ((adder(a, !1, true).1 ^ AF) & !CF) | u64::from(c);
                assert_eq!(Flags::of_dec(r, c).bits(), expected);
            }
        }
    }
}
