//! Float instructions with unmasked exceptions, as a processor (Cascade Lake) executed them: `unmasked.txt` holds a line
//! for each case, all numbers hexadecimal: code, MXCSR, whether #XM came, MXCSR then, RAX, YMM0 to YMM2 before (four
//! quadwords each, the least significant first), YMM0 and YMM1 after.

use super::{Bench, DONE};
use emu_core::x86::{Cr4, Exception};

fn bytes(code: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&code[at..at + 2], 16).expect("a byte");
    (0..code.len()).step_by(2).map(byte).collect()
}

#[test]
fn unmasked_exceptions_set_the_flags_and_leave_the_registers_that_a_processor_did() {
    let mut wrong = Vec::new();
    for line in include_str!("unmasked.txt").lines() {
        let (code, rest) = line.split_once(' ').expect("a line");
        let fields: Vec<u64> = rest
            .split(' ')
            .map(|v| u64::from_str_radix(v, 16).expect("a number"))
            .collect();
        let [mxcsr, faults, flags, rax] = fields[..4] else {
            panic!("{line}")
        };
        let mut b = Bench::new(&bytes(code));
        b.state.cr4 |= Cr4::OSXSAVE;
        b.state.simd.xcr0 = 7;
        b.state.simd.mxcsr = mxcsr as u32;
        b.state.gpr[0] = 0x1111;
        for (i, v) in fields[4..16].iter().enumerate() {
            b.state.simd.vectors[i / 4][i % 4] = *v;
        }
        let (v, s) = b.run();
        let expected = match faults {
            0 => DONE,
            _ => Exception::SimdFloatingPoint as u8,
        };
        let after = s.simd.vectors[..2].as_flattened();
        let same = (v, u64::from(s.simd.mxcsr), s.gpr[0], after)
            == (expected, flags, rax, &fields[16..24]);
        if !same {
            wrong.push(format!("{line}: {v} {:X} {after:X?}", s.simd.mxcsr));
        }
    }
    let n = wrong.len();
    assert_eq!(n, 0, "{n} cases: {:#?}", &wrong[..n.min(40)]);
}
