//! Which mnemonic is which function.

use super::quick::Quicks;
use super::{Args, V256};
use crate::softfloat::FloatEnv;
use iced_x86::Mnemonic;

mod avx;
mod crypto;
mod d3now;
mod float;
mod integer;
mod moves;

/// The function of a row and how it is applied. Vectors of 256 bits are two halves unless it says otherwise.
#[derive(Copy, Clone)]
pub enum Apply {
    /// Each half: first source, second source, immediate.
    Lanes(fn(u128, u128, u8) -> u128),
    /// The same; the upper half's immediate starts at this bit.
    LanesImm(u8, fn(u128, u128, u8) -> u128),
    /// The same, the low half of the second source for both halves: shift counts.
    Count(fn(u128, u128, u8) -> u128),
    /// The same with a third source instead of an immediate.
    Third(fn(u128, u128, u128) -> u128),
    /// The same with float exceptions.
    Float(fn(u128, u128, u8, &mut FloatEnv) -> u128),
    /// Three sources with float exceptions.
    Fused(fn(u128, u128, u128, &mut FloatEnv) -> u128),
    /// The whole register.
    Whole(fn(&Args) -> V256),
    /// The whole register with float exceptions.
    WholeFloat(fn(&Args, &mut FloatEnv) -> V256),
    /// A general register from a vector (the upper half 0 if it is not part of it) and an immediate.
    ToGeneral(fn(V256, u8) -> u64),
    /// An integer from a float; whether it is a quadword.
    ToInteger(fn(u128, bool, &mut FloatEnv) -> u64),
    /// Arithmetic flags from two vectors; the upper half of the second is 0 if it is not part of it.
    Flags(fn(V256, V256) -> u64),
    /// Arithmetic flags from two floats.
    Compare(fn(u128, u128, &mut FloatEnv) -> u64),
}

/// Which forms of an instruction a row is for.
#[derive(Copy, Clone, PartialEq, Eq)]
pub enum Form {
    /// All that no other row is for.
    Any,
    /// With an MMX destination, or an MMX source and no vector destination.
    Mmx,
    /// With a source in memory.
    Load,
    /// With a destination in memory.
    Store,
    /// With an immediate, where there are forms without.
    Immediate,
    /// With a quadword in a general register or in memory as its source.
    Quadword,
}

/// A row of the table.
#[derive(Copy, Clone)]
pub struct Row {
    legacy: Mnemonic,
    vex: Mnemonic,
    form: Form,
    /// What it does.
    pub apply: Apply,
    /// Its handlers where nothing out of the ordinary happens.
    pub quick: Quicks,
    /// What they make of two vectors, and what they should.
    #[cfg(test)]
    pub both: Option<Both>,
}

/// See [`Row::both`].
#[cfg(test)]
pub type Both = fn(u128, u128, u8) -> [Option<u128>; 2];

const fn row(legacy: Mnemonic, vex: Mnemonic, apply: Apply) -> Row {
    form(Form::Any, legacy, vex, apply)
}

const fn form(form: Form, legacy: Mnemonic, vex: Mnemonic, apply: Apply) -> Row {
    Row {
        legacy,
        vex,
        form,
        apply,
        quick: |_, _| None,
        #[cfg(test)]
        both: None,
    }
}

impl Row {
    /// With a shortcut.
    const fn quick(self, quick: Quicks) -> Self {
        Self { quick, ..self }
    }
}

/// A row with a shortcut that is its function: `packed` if it works on whole registers, `shifts`, or `scalar T` if its source
/// in memory is a `T`.
macro_rules! quick {
    ($legacy:expr, $vex:expr, $apply:ident($f:expr), $kind:ident $($t:ty)?) => {
        quick!(@ $legacy, $vex, $apply($f), $kind $($t)?;)
    };
    // `$host` is the function of `simd::host::vector` that does the same, and takes the immediate.
    ($legacy:expr, $vex:expr, $apply:ident($f:expr), $kind:ident $($t:ty)?, $host:ident imm) => {
        quick!(@ $legacy, $vex, $apply($f), $kind $($t)?;
            #[inline(always)]
            fn apply(a: Xmm, b: Xmm, imm: u8) -> Option<Xmm> {
                Some($crate::simd::host::vector::$host(a, b, imm))
            }
        )
    };
    // The same without an immediate.
    ($legacy:expr, $vex:expr, $apply:ident($f:expr), $kind:ident $($t:ty)?, $host:ident) => {
        quick!(@ $legacy, $vex, $apply($f), $kind $($t)?;
            #[inline(always)]
            fn apply(a: Xmm, b: Xmm, imm: u8) -> Option<Xmm> {
                Some($crate::simd::host::vector::$host(a, b, |a, b| $f(a, b, imm)))
            }
        )
    };
    (@ $legacy:expr, $vex:expr, $apply:ident($f:expr), $kind:ident $($t:ty)?; $($host:tt)*) => {{
        #[allow(unused_imports)]
        use $crate::simd::host::vector::Xmm;
        struct Q;
        impl $crate::simd::quick::Quick for Q {
            #[inline(always)]
            fn patiently(a: u128, b: u128, imm: u8) -> Option<u128> {
                Some($f(a, b, imm))
            }
            $($host)*
        }
        #[cfg_attr(not(test), expect(unused_mut))]
        let mut row = row($legacy, $vex, $apply($f)).quick($crate::simd::quick::$kind::<Q $(, $t)?>);
        #[cfg(test)]
        {
            use $crate::simd::quick::Quick;
            row.both = Some(|a, b, imm| {
                let quick = Q::apply(Xmm::of(a), Xmm::of(b), imm);
                [quick.map(Xmm::bits), Q::patiently(a, b, imm)]
            });
        }
        row
    }};
}
use quick;

const PARTS: [&[Row]; 6] = [
    integer::ROWS,
    float::ROWS,
    moves::ROWS,
    avx::ROWS,
    crypto::ROWS,
    d3now::ROWS,
];

const COUNT: usize = {
    let (mut n, mut part) = (0, 0);
    while part < PARTS.len() {
        n += PARTS[part].len();
        part += 1;
    }
    n
};

static TABLE: [Row; COUNT] = {
    let mut table = [PARTS[0][0]; COUNT];
    let (mut n, mut part) = (0, 0);
    while part < PARTS.len() {
        let mut i = 0;
        while i < PARTS[part].len() {
            table[n] = PARTS[part][i];
            n += 1;
            i += 1;
        }
        part += 1;
    }
    table
};

/// More than there are mnemonics.
const MNEMONICS: usize = 2048;
/// No row.
const NONE: u16 = u16::MAX;

/// The first row of each mnemonic.
static FIRST: [u16; MNEMONICS] = {
    let mut first = [NONE; MNEMONICS];
    let mut n = COUNT;
    while n > 0 {
        n -= 1;
        let row = &TABLE[n];
        first[row.legacy as usize] = n as u16;
        first[row.vex as usize] = n as u16;
    }
    first[Mnemonic::INVALID as usize] = NONE;
    first
};

/// Whether an instruction stands in the table.
pub fn has(mnemonic: Mnemonic) -> bool {
    FIRST.get(mnemonic as usize).is_some_and(|&n| n != NONE)
}

/// The row for an instruction, as [`Row::numbered`] takes it.
pub fn find(mnemonic: Mnemonic, forms: &[Form]) -> Option<i32> {
    let first = *FIRST.get(mnemonic as usize)?;
    let rows = TABLE.iter().enumerate().skip(first.into());
    let same = rows.take_while(|(_, r)| r.legacy == mnemonic || r.vex == mnemonic);
    let best = same
        .filter(|(_, r)| r.form == Form::Any || forms.contains(&r.form))
        .min_by_key(|(_, r)| r.form == Form::Any)?;
    Some((best.0 as i32) << 8)
}

/// All [`Row::both`] that there are.
#[cfg(test)]
pub fn both() -> impl Iterator<Item = Both> {
    TABLE.iter().filter_map(|row| row.both)
}

impl Row {
    /// A row by what stands in an operation's second slot: its number above the immediate byte.
    #[inline(always)]
    pub fn numbered(second: i32) -> &'static Self {
        &TABLE[(second >> 8) as usize % COUNT]
    }
}
