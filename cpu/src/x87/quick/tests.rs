//! What is done in few steps is held against `softfloat`.

use super::*;
use crate::softfloat::{self as sf, F32, F64, FloatEnv, Operand};
use crate::tests::Random;

impl Random {
    /// Exponents that are near one another or at an end, significands with few bits or many.
    fn number(&mut self) -> F80 {
        let e = match self.next() % 8 {
            0 => self.next() % 4,
            1 => 0x7FFF - self.next() % 4,
            2 => 16383 - 1030 + self.next() % 16,
            3 => 16383 + 1016 + self.next() % 16,
            4 => 16383 - 130 + self.next() % 260,
            _ => 16383 - 40 + self.next() % 80,
        };
        let significand = match self.next() % 5 {
            0 => INTEGER_BIT,
            1 => u64::MAX,
            2 => INTEGER_BIT | 1 << (self.next() % 63),
            3 => INTEGER_BIT | self.next() << 40,
            _ => {
                self.next()
                    | if self.next().is_multiple_of(8) {
                        0
                    } else {
                        INTEGER_BIT
                    }
            }
        };
        let sign = (self.next() as u16) & SIGN;
        if self.next().is_multiple_of(16) {
            F80::new(sign, 0)
        } else {
            F80::new(sign | e as u16, significand)
        }
    }
}

fn flags(env: &FloatEnv) -> (bool, bool) {
    assert!((env.flags - Flags::INEXACT).is_empty());
    (env.flags.contains(Flags::INEXACT), env.rounded_up)
}

/// Control words that differ in precision control, and the bits that do not count.
const PRECISIONS: [(u16, u32); 3] = [(0x37F, 0), (0x27F, 11), (0x07F, 40)];
const ROUNDINGS: [Rounding; 4] = [
    Rounding::Nearest,
    Rounding::Down,
    Rounding::Up,
    Rounding::Truncate,
];

#[test]
fn operations_are_as_softfloat_has_them() {
    let mut random = Random(0x2545_F491_4F6C_DD1D);
    for op in [
        Operation::Add,
        Operation::Mul,
        Operation::Sub,
        Operation::SubReverse,
        Operation::Div,
        Operation::DivReverse,
    ] {
        for (control, dropped) in PRECISIONS {
            let mut taken = 0;
            for _ in 0..200_000 {
                let (a, b) = (random.number(), random.number());
                let Some(r) = operate(op, a, b, dropped) else {
                    continue;
                };
                taken += 1;
                let mut env = FloatEnv::x87(control);
                let expected: F80 = match op {
                    Operation::Add => sf::add(a, b, &mut env),
                    Operation::Mul => sf::mul(a, b, &mut env),
                    Operation::Sub => sf::sub(a, b, &mut env),
                    Operation::SubReverse => sf::sub(b, a, &mut env),
                    Operation::Div => sf::div(a, b, &mut env),
                    Operation::DivReverse => sf::div(b, a, &mut env),
                };
                assert_eq!(r.value, expected, "{op:?} {a:x?} {b:x?}");
                assert_eq!((r.inexact, r.up), flags(&env), "{op:?} {a:x?} {b:x?}");
            }
            assert!(taken > 50_000, "{op:?}: {taken}");
        }
    }
}

#[test]
fn results_on_and_beside_a_half_round_as_softfloat_has_them() {
    let mut random = Random(0x0123_4567_89AB_CDEF);
    for (control, dropped) in PRECISIONS {
        for _ in 0..200_000 {
            // A unit of the larger one is up to some more bits below it, and the smaller one is near half of one.
            let bits = 64 - dropped as u16;
            let large = F80::new(
                16383,
                INTEGER_BIT | (random.next() << dropped & !INTEGER_BIT),
            );
            let few = INTEGER_BIT | (random.next() % 3) << (random.next() % 62);
            let few = if random.next().is_multiple_of(4) {
                u64::MAX
            } else {
                few
            };
            let below = bits - 2 + (random.next() % 5) as u16;
            let sign = random.next() as u16 & SIGN;
            let small = F80::new(sign | (16383 - below), few);
            let r = operate(Operation::Add, large, small, dropped).expect("ordinary numbers");
            let mut env = FloatEnv::x87(control);
            let expected: F80 = sf::add(large, small, &mut env);
            assert_eq!(r.value, expected, "{large:x?} {small:x?}");
            assert_eq!((r.inexact, r.up), flags(&env), "{large:x?} {small:x?}");
        }
    }
}

#[test]
fn square_roots_are_as_softfloat_has_them() {
    let mut random = Random(0xDEAD_BEEF_0BAD_F00D);
    for (control, dropped) in PRECISIONS {
        let mut taken = 0;
        for _ in 0..200_000 {
            let mut v = random.number();
            if random.next().is_multiple_of(4) {
                // A square of few bits, and what is beside it.
                let root = random.next() | 1 << 63;
                let root = u128::from(root >> 31 << (random.next() % 8));
                let square = root * root;
                let room = square.leading_zeros();
                v.significand = ((square << room) >> 64) as u64;
                v.significand = v
                    .significand
                    .wrapping_add(random.next() % 3)
                    .wrapping_sub(1);
            }
            let Some(r) = square_root(v, dropped) else {
                continue;
            };
            taken += 1;
            let mut env = FloatEnv::x87(control);
            let expected: F80 = sf::sqrt(v, &mut env);
            assert_eq!(r.value, expected, "{v:x?}");
            assert_eq!((r.inexact, r.up), flags(&env), "{v:x?}");
        }
        assert!(taken > 50_000, "{taken}");
    }
    for v in [
        F80::new(0x3FFF, u64::MAX),
        F80::new(0x4000, u64::MAX),
        F80::new(0x3FFF, INTEGER_BIT),
        F80::new(0x4000, INTEGER_BIT),
        F80::new(0x3FFE, INTEGER_BIT + 1),
        F80::new(0x3FFF, INTEGER_BIT + 1),
    ] {
        let mut env = FloatEnv::x87(0x37F);
        let expected: F80 = sf::sqrt(v, &mut env);
        assert_eq!(square_root(v, 0).map(|r| r.value), Some(expected));
    }
}

#[test]
fn numbers_compare_as_softfloat_has_them() {
    let mut random = Random(0x1357_9BDF_0246_8ACE);
    let mut taken = 0;
    for _ in 0..300_000 {
        let a = random.number();
        let mut b = random.number();
        match random.next() % 4 {
            0 => b = a,
            1 => b.sign_exp = a.sign_exp,
            _ => {}
        }
        let Some(r) = compare(a, b) else { continue };
        taken += 1;
        let mut env = FloatEnv::x87(0x37F);
        let expected = match sf::compare_ordered(a, b, &mut env) {
            sf::Relation::Less => C0,
            sf::Relation::Equal => C3,
            sf::Relation::Greater => 0,
            sf::Relation::Unordered => C0 | C2 | C3,
        };
        assert_eq!(r, expected, "{a:x?} {b:x?}");
        assert!(env.flags.is_empty());
    }
    assert!(taken > 100_000, "{taken}");
}

#[test]
fn integers_are_as_softfloat_has_them() {
    let mut random = Random(0xFEDC_BA98_7654_3210);
    for (n, rounding) in ROUNDINGS.into_iter().enumerate() {
        let mut taken = [0; 4];
        for _ in 0..200_000 {
            let mut v = random.number();
            if random.next().is_multiple_of(2) {
                // Around the powers of two where integers end, and with halves.
                let e = (16383 - 2 + random.next() % 68) as u16;
                v.sign_exp = v.sign_exp & SIGN | e;
            }
            let control = 0x37F | (n as u16) << 10;
            let mut check =
                |bits: u32, of: usize, expected: fn(F80, Rounding, &mut FloatEnv) -> i64| {
                    let Some(r) = to_integer(v, bits, rounding) else {
                        return;
                    };
                    taken[of] += 1;
                    let mut env = FloatEnv::x87(control);
                    assert_eq!(r.value as i64, expected(v, rounding, &mut env), "{v:x?}");
                    assert_eq!((r.inexact, r.up), flags(&env), "{v:x?}");
                };
            check(16, 0, |v, r, e| sf::to_i16(v, r, e).into());
            check(32, 1, |v, r, e| sf::to_i32(v, r, e).into());
            check(64, 2, sf::to_i64);
            if let Some(r) = round_to_integral(v, rounding) {
                taken[3] += 1;
                let mut env = FloatEnv::x87(control);
                assert_eq!(r.value, sf::round_to_integral(v, &mut env), "{v:x?}");
                assert_eq!((r.inexact, r.up), flags(&env), "{v:x?}");
            }
        }
        assert!(taken.iter().all(|&n| n > 20_000), "{taken:?}");
    }
}

#[test]
fn conversions_are_as_softfloat_has_them() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut taken = [0; 4];
    for _ in 0..200_000 {
        let v = random.number();
        if let Some(r) = to_f64(v) {
            let mut env = FloatEnv::x87(0x37F);
            let expected: F64 = sf::convert(Operand::from(v), &mut env);
            assert_eq!(
                (r.value, r.inexact, r.up),
                (expected.0, flags(&env).0, flags(&env).1),
                "{v:x?}"
            );
            taken[0] += 1;
        }
        if let Some(r) = to_f32(v) {
            let mut env = FloatEnv::x87(0x37F);
            let expected: F32 = sf::convert(Operand::from(v), &mut env);
            assert_eq!(
                (r.value, r.inexact, r.up),
                (expected.0.into(), flags(&env).0, flags(&env).1),
                "{v:x?}"
            );
            taken[1] += 1;
        }
        let mut env = FloatEnv::x87(0x37F);
        let bits = random.next();
        if let Some(wide) = from_f64(bits) {
            assert_eq!(
                wide,
                sf::convert(Operand::from(F64(bits)), &mut env),
                "{bits:x}"
            );
            taken[2] += 1;
        }
        if let Some(wide) = from_f32(bits as u32) {
            assert_eq!(
                wide,
                sf::convert(Operand::from(F32(bits as u32)), &mut env),
                "{bits:x}"
            );
            taken[3] += 1;
        }
        let integer = bits as i64 >> (random.next() % 64);
        assert_eq!(
            from_integer(integer),
            sf::convert(Operand::from(integer), &mut env),
            "{integer}"
        );
        assert!(env.flags.is_empty());
    }
    assert!(taken.iter().all(|&n| n > 20_000), "{taken:?}");
}
