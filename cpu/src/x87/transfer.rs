//! Loads, stores, exchanges (SDM vol. 2: FLD, FILD, FBLD, FLD1 .. FLDZ, FST, FIST, FISTTP, FBSTP, FXCH, FCMOVcc).
//!
//! A store to memory is in two parts, so that a page fault comes before any commit: a function that computes a
//! [`Store`] from the unchanged state, and [`Store::commit`] after its value has been written.

use super::stack::{env, finish, overflow, pop, push, underflow};
use super::state::{C1, Fpu};
use crate::softfloat::{self as sf, F32, F64, F80, Flags, Float, FloatEnv, Operand, Rounding};

/// Pushes what `value` gives. A load delivers its result even if a denormal operand is unmasked.
fn load_with(state: &mut Fpu, value: impl FnOnce(&mut FloatEnv) -> F80) {
    let (value, delivered) = if state.is_empty(7) {
        let mut env = env(state);
        let value = value(&mut env);
        finish(state, &env);
        (value, !env.unmasked().contains(Flags::INVALID))
    } else {
        (F80::INDEFINITE, overflow(state))
    };
    if delivered {
        push(state, value);
    }
}

/// FLD m32, FLD m64, FILD.
pub fn load(state: &mut Fpu, source: impl Into<Operand>) {
    load_with(state, |env| sf::convert(source.into(), env));
}

/// FLD m80: any encoding, unexamined.
pub fn load_f80(state: &mut Fpu, source: F80) {
    load_with(state, |_| source);
}

/// FBLD.
pub fn load_bcd(state: &mut Fpu, bytes: [u8; 10]) {
    load_with(state, |_| sf::bcd_load(bytes));
}

/// FLD ST(i).
pub fn load_st(state: &mut Fpu, i: u8) {
    if state.is_empty(i) {
        if underflow(state) {
            push(state, F80::INDEFINITE);
        }
    } else {
        let source = state.st(i);
        load_with(state, |_| source);
    }
}

/// The constants of FLD1, FLDL2T, FLDL2E, FLDPI, FLDLG2, FLDLN2, FLDZ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Constant {
    /// 1.0
    One,
    /// log2 10
    Log2Of10,
    /// log2 e
    Log2OfE,
    /// pi
    Pi,
    /// log10 2
    Log10Of2,
    /// ln 2
    LnOf2,
    /// +0.0
    Zero,
}

impl Constant {
    /// Rounded from the 66-bit constants of the chip by the rounding control (SDM vol. 1, section 8.3.8): sign and
    /// exponent, significand truncated, whether the nearest value is the next one.
    const fn parts(self) -> (u16, u64, bool) {
        match self {
            Self::One => (0x3FFF, 1 << 63, false),
            Self::Log2Of10 => (0x4000, 0xD49A_784B_CD1B_8AFE, false),
            Self::Log2OfE => (0x3FFF, 0xB8AA_3B29_5C17_F0BB, true),
            Self::Pi => (0x4000, 0xC90F_DAA2_2168_C234, true),
            Self::Log10Of2 => (0x3FFD, 0x9A20_9A84_FBCF_F798, true),
            Self::LnOf2 => (0x3FFE, 0xB172_17F7_D1CF_79AB, true),
            Self::Zero => (0, 0, false),
        }
    }

    #[inline]
    pub(super) fn rounded(self, rounding: Rounding) -> F80 {
        let (sign_exp, significand, nearest_is_above) = self.parts();
        let exact = matches!(self, Self::One | Self::Zero);
        let up = match rounding {
            Rounding::Nearest => nearest_is_above,
            Rounding::Up => !exact,
            Rounding::Down | Rounding::Truncate => false,
        };
        F80::new(sign_exp, significand + u64::from(up))
    }
}

/// FLD1 and its kin.
pub fn load_constant(state: &mut Fpu, constant: Constant) {
    load_with(state, |env| constant.rounded(env.rounding));
}

/// A store to memory, computed and not yet committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Store<T> {
    /// What is to be written; none if an unmasked exception forbids it.
    pub value: Option<T>,
    flags: Flags,
    stack_fault: bool,
    rounded_up: bool,
}

impl<T> Store<T> {
    /// Raises the flags; pops if asked to and if the store took place.
    pub fn commit(&self, state: &mut Fpu, and_pop: bool) {
        if self.stack_fault {
            underflow(state);
        } else {
            state.raise(self.flags);
            state.set_conditions(C1, if self.rounded_up { C1 } else { 0 });
        }
        if and_pop && self.value.is_some() {
            pop(state);
        }
    }
}

fn store_with<T>(
    state: &Fpu,
    indefinite: T,
    convert: impl FnOnce(F80, &mut FloatEnv) -> T,
) -> Store<T> {
    let mut env = env(state);
    let stack_fault = state.is_empty(0);
    let value = if stack_fault {
        env.raise(Flags::INVALID);
        indefinite
    } else {
        convert(state.st(0), &mut env)
    };
    let forbidden = env.unmasked().difference(Flags::INEXACT);
    Store {
        value: forbidden.is_empty().then_some(value),
        flags: env.flags,
        stack_fault,
        rounded_up: env.rounded_up,
    }
}

/// FST m32, FSTP m32.
pub fn store_f32(state: &Fpu) -> Store<F32> {
    store_with(state, F32::indefinite(), sf::store)
}

/// FST m64, FSTP m64.
pub fn store_f64(state: &Fpu) -> Store<F64> {
    store_with(state, F64::indefinite(), sf::store)
}

/// FSTP m80: any encoding, unexamined.
pub fn store_f80(state: &Fpu) -> Store<F80> {
    store_with(state, F80::INDEFINITE, |value, _| value)
}

/// How a store to an integer rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntegerRounding {
    /// FIST, FISTP: by the rounding control.
    Control,
    /// FISTTP: toward zero.
    Truncate,
}

impl IntegerRounding {
    fn mode(self, env: &FloatEnv) -> Rounding {
        match self {
            Self::Control => env.rounding,
            Self::Truncate => Rounding::Truncate,
        }
    }
}

/// FIST m16, FISTP m16, FISTTP m16.
pub fn store_i16(state: &Fpu, rounding: IntegerRounding) -> Store<i16> {
    store_with(state, i16::MIN, |value, env| {
        sf::to_i16(value, rounding.mode(env), env)
    })
}

/// FIST m32, FISTP m32, FISTTP m32.
pub fn store_i32(state: &Fpu, rounding: IntegerRounding) -> Store<i32> {
    store_with(state, i32::MIN, |value, env| {
        sf::to_i32(value, rounding.mode(env), env)
    })
}

/// FISTP m64, FISTTP m64.
pub fn store_i64(state: &Fpu, rounding: IntegerRounding) -> Store<i64> {
    store_with(state, i64::MIN, |value, env| {
        sf::to_i64(value, rounding.mode(env), env)
    })
}

/// FBSTP.
pub fn store_bcd(state: &Fpu) -> Store<[u8; 10]> {
    store_with(state, sf::BCD_INDEFINITE, sf::bcd_store)
}

/// FST ST(i), FSTP ST(i).
pub fn store_st(state: &mut Fpu, i: u8, and_pop: bool) {
    let (value, delivered) = if state.is_empty(0) {
        (F80::INDEFINITE, underflow(state))
    } else {
        state.set_conditions(C1, 0);
        (state.st(0), true)
    };
    if delivered {
        state.set_st(i, value);
        if and_pop {
            pop(state);
        }
    }
}

/// FSTP1 ST(i) (undocumented D9 D8+i): as FSTP ST(i), but an empty ST(0) is no fault: it is not copied, and popped.
pub fn store_st_unchecked(state: &mut Fpu, i: u8) {
    if !state.is_empty(0) {
        state.set_st(i, state.st(0));
    }
    state.set_conditions(C1, 0);
    pop(state);
}

/// FXCH ST(i).
pub fn exchange(state: &mut Fpu, i: u8) {
    if state.is_empty(0) || state.is_empty(i) {
        if !underflow(state) {
            return;
        }
        for i in [0, i] {
            if state.is_empty(i) {
                state.set_st(i, F80::INDEFINITE);
            }
        }
    } else {
        state.set_conditions(C1, 0);
    }
    let (a, b) = (state.st(0), state.st(i));
    state.set_st(0, b);
    state.set_st(i, a);
}

/// FCMOVcc ST(0), ST(i). An empty register faults whether the condition holds or not.
pub fn move_if(state: &mut Fpu, i: u8, condition: bool) {
    if state.is_empty(0) || state.is_empty(i) {
        if underflow(state) {
            state.set_st(0, F80::INDEFINITE);
        }
        return;
    }
    // C1 stays, as on the hardware; the manual says it is cleared.
    if condition {
        state.set_st(0, state.st(i));
    }
}
