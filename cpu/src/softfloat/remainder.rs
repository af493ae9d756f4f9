//! Partial remainder (SDM vol. 2: FPREM, FPREM1).

use super::arith::two_nans;
use super::{Class, F80, Float, FloatEnv, Operand, Unrounded};

/// Which way the quotient goes to an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemainderKind {
    /// FPREM: toward zero.
    Truncate,
    /// FPREM1: to the nearest, ties to even (IEEE 754).
    Nearest,
}

/// What FPREM and FPREM1 give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remainder {
    /// The remainder, or the partial remainder.
    pub value: F80,
    /// The low three bits of the quotient: C1 is bit 0, C3 bit 1, C0 bit 2. None if there is no quotient, for a NaN
    /// or an invalid operation; then C0 and C3 keep their values.
    pub quotient: Option<u8>,
    /// C2: only a partial remainder.
    pub partial: bool,
}

impl Remainder {
    fn complete(value: F80, quotient: u8) -> Self {
        Self {
            value,
            quotient: Some(quotient),
            partial: false,
        }
    }

    fn without_quotient(value: F80) -> Self {
        Self {
            value,
            quotient: None,
            partial: false,
        }
    }
}

/// `a rem b`. With an exponent difference D of 64 or more, one step of a reduction by 2^N of the difference, N
/// from 32 to 63 chosen as the hardware does: 32 + D mod 32.
pub fn remainder(a: F80, b: F80, kind: RemainderKind, env: &mut FloatEnv) -> Remainder {
    let (x, y) = (Operand::from(a), Operand::from(b));
    if let Some(nan) = two_nans(&x, &y, env) {
        return Remainder::without_quotient(nan);
    }
    if x.class == Class::Infinity || y.class == Class::Zero {
        return Remainder::without_quotient(F80::invalid(env));
    }
    if env.denormal_operand_stops(x.denormal || y.denormal) {
        return Remainder::without_quotient(F80::INDEFINITE);
    }
    let by_infinity = y.class == Class::Infinity;
    if x.class == Class::Zero || by_infinity && env.leaves_unrounded {
        // Not rounded: a denormal dividend raises no underflow here, even unmasked.
        return Remainder::complete(a.without_pseudo_denormal(), 0);
    }
    let pack = |sign, exponent, significand: u128, env: &mut FloatEnv| match Unrounded::normalised(
        sign,
        exponent,
        significand << 64,
    ) {
        Some(exact) => F80::from_unrounded_precise(exact, env),
        None => F80::zero(sign),
    };
    let (n, d) = (u128::from(x.significand), u128::from(y.significand));
    if by_infinity {
        return Remainder::complete(pack(x.sign, x.exponent, n, env), 0);
    }
    let difference = x.exponent - y.exponent;
    if difference >= 64 {
        let step = 32 + difference % 32;
        let rest = (n << step) % d;
        return Remainder {
            value: pack(x.sign, y.exponent + difference - step, rest, env),
            quotient: Some(0),
            partial: true,
        };
    }
    // From here the quotient and the rest are in units of the divisor's last place, or of the dividend's if the
    // dividend is smaller.
    let (mut quotient, mut rest, unit_exponent) = if difference >= 0 {
        let n = n << difference;
        (n / d, n % d, y.exponent)
    } else {
        (0, n, x.exponent)
    };
    let mut sign = x.sign;
    // The nearest quotient of a dividend below half of the divisor is 0; one place below needs a look.
    if kind == RemainderKind::Nearest && difference >= -1 {
        let divisor = if difference < 0 { d << 1 } else { d };
        let twice = rest * 2;
        if twice > divisor || twice == divisor && quotient & 1 != 0 {
            quotient += 1;
            rest = divisor - rest;
            sign = !sign;
        }
    }
    Remainder::complete(pack(sign, unit_exponent, rest, env), (quotient & 7) as u8)
}
