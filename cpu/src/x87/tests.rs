//! What the comparison with a host's x87 cannot reach: image formats of real mode, FXSAVE, the 8087 and 80287, and
//! the rules the manual states outright.

use super::arith::{self, Operation};
use super::compare::{self, Comparison};
use super::image::{self, Format};
use super::stack::push;
use super::state::{BUSY, C0, C1, C2, C3, ERROR_SUMMARY, Fpu, Generation, STACK_FAULT};
use super::transfer::{self, Constant, IntegerRounding};
use super::{control, fxsave, transcendental};
use crate::softfloat::{F32, F80, Flags, Float, RemainderKind};

fn p6() -> Fpu {
    Fpu::new(Generation::I80387)
}

/// An instruction on the state.
type Step = fn(&mut Fpu);

const TWO: F80 = F80::new(0x4000, 1 << 63);
const INFINITY: F80 = F80::new(0x7FFF, 1 << 63);

/// A state with something in every field.
fn busy() -> Fpu {
    let mut fpu = p6();
    transfer::load_constant(&mut fpu, Constant::Pi);
    transfer::load_constant(&mut fpu, Constant::Zero);
    transfer::load_f80(&mut fpu, F80::new(0x3FFF, 1));
    fpu.record_instruction(0x1234, 0x0005_6789, 0x5EF);
    fpu.record_operand(0xABCD, 0x0001_0203);
    fpu
}

#[test]
fn after_fninit_the_words_hold_what_the_manuals_say() {
    let fpu = p6();
    assert_eq!(fpu.control, 0x037F);
    assert_eq!(fpu.status_word(), 0);
    assert_eq!(fpu.tag_word(), 0xFFFF);
    assert_eq!(Fpu::new(Generation::I8087).control, 0x03FF);
    assert_eq!(Fpu::new(Generation::I80287).control, 0x03FF);
}

#[test]
fn the_16_bit_real_mode_environment_holds_20_bit_addresses_and_the_opcode() {
    let fpu = busy();
    let bytes = image::environment(&fpu, Format::Real16);
    let words: Vec<u16> = bytes[..14]
        .chunks(2)
        .map(|b| u16::from_le_bytes([b[0], b[1]]))
        .collect();
    // Top is 5: R5 special (unnormal), R6 zero, R7 valid, the rest empty.
    assert_eq!(words[..3], [0x037F, 5 << 11, 0b00_01_10_11_11_11_11_11]);
    // 12340h + 56789h = 68AC9h; ABCD0h + 10203h = BBED3h.
    assert_eq!(words[3..], [0x8AC9, 0x65EF, 0xBED3, 0xB000]);
}

#[test]
fn the_32_bit_real_mode_environment_splits_its_addresses_at_bit_16() {
    let fpu = busy();
    let bytes = image::environment(&fpu, Format::Real32);
    let dwords: Vec<u32> = bytes
        .chunks(4)
        .map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect();
    assert_eq!(
        dwords[3..],
        [0xFFFF_8AC9, 0x0000_65EF, 0xFFFF_BED3, 0x0000_B000]
    );
}

#[test]
fn protected_mode_environments_hold_selector_and_offset() {
    let fpu = busy();
    let bytes = image::environment(&fpu, Format::Protected16);
    assert_eq!(
        bytes[6..14],
        [0x89, 0x67, 0x34, 0x12, 0x03, 0x02, 0xCD, 0xAB]
    );
    let bytes = image::environment(&fpu, Format::Protected32);
    assert_eq!(bytes[12..16], [0x89, 0x67, 0x05, 0x00]);
    assert_eq!(bytes[16..20], [0x34, 0x12, 0xEF, 0x05]);
    assert_eq!(bytes[20..24], [0x03, 0x02, 0x01, 0x00]);
    assert_eq!(bytes[24..26], [0xCD, 0xAB]);
}

#[test]
fn every_format_restores_what_it_saved() {
    for format in [
        Format::Real16,
        Format::Protected16,
        Format::Real32,
        Format::Protected32,
    ] {
        let saved = busy();
        let bytes = image::save(&saved, format);
        let mut restored = p6();
        image::restore(&mut restored, format, &bytes[..format.state_bytes()]);
        assert_eq!(restored.registers, saved.registers, "{format:?}");
        assert_eq!(restored.tag_word(), saved.tag_word());
        assert_eq!(restored.status_word(), saved.status_word());
        assert_eq!(image::save(&restored, format), bytes);
    }
}

#[test]
fn a_short_image_counts_as_zeros_and_does_not_panic() {
    for format in [
        Format::Real16,
        Format::Protected16,
        Format::Real32,
        Format::Protected32,
    ] {
        for length in 0..format.state_bytes() {
            let mut fpu = p6();
            image::restore(&mut fpu, format, &[0xFF; 108][..length]);
        }
    }
}

#[test]
fn fxsave_keeps_one_tag_bit_for_each_register_and_stores_them_from_the_top() {
    let fpu = busy();
    let header = fxsave::header(&fpu, fxsave::Pointers::Segmented);
    assert_eq!(header[..8], [0x7F, 0x03, 0x00, 0x28, 0xE0, 0, 0xEF, 0x05]);
    assert_eq!(header[8..16], [0x89, 0x67, 0x05, 0, 0x34, 0x12, 0, 0]);
    assert_eq!(header[16..24], [0x03, 0x02, 0x01, 0, 0xCD, 0xAB, 0, 0]);
    assert_eq!(
        fxsave::register(&fpu, 0)[..10],
        F80::new(0x3FFF, 1).to_le_bytes()
    );
    assert_eq!(fxsave::register(&fpu, 0)[10..], [0; 6]);

    let mut loaded = p6();
    fxsave::load_header(&mut loaded, fxsave::Pointers::Segmented, &header);
    for i in 0..8 {
        fxsave::load_register(&mut loaded, i, &fxsave::register(&fpu, i));
    }
    assert_eq!(loaded, fpu);
}

#[test]
fn the_exchanged_state_round_trips() {
    let fpu = busy();
    assert_eq!(Fpu::from_state(Generation::I80387, &fpu.to_state()), fpu);
}

#[test]
fn pushing_on_a_full_stack_sets_c1_and_popping_an_empty_one_clears_it() {
    let mut fpu = p6();
    for _ in 0..8 {
        transfer::load_constant(&mut fpu, Constant::One);
    }
    assert_eq!(fpu.status & (C1 | STACK_FAULT | 1), 0);
    transfer::load_constant(&mut fpu, Constant::One);
    assert_eq!(fpu.status & (C1 | STACK_FAULT | 1), C1 | STACK_FAULT | 1);
    assert_eq!(fpu.st(0), F80::INDEFINITE);
    assert_eq!(fpu.top, 7);

    let mut fpu = p6();
    let store = transfer::store_f32(&fpu);
    assert_eq!(store.value, Some(F32::indefinite()));
    store.commit(&mut fpu, true);
    assert_eq!(fpu.status & (C1 | STACK_FAULT | 1), STACK_FAULT | 1);
    assert_eq!(fpu.top, 1);
}

#[test]
fn an_unmasked_invalid_operation_leaves_stack_and_memory_alone_and_raises_es_and_b() {
    let mut fpu = p6();
    control::load_control(&mut fpu, 0x037E);
    let store = transfer::store_i32(&fpu, IntegerRounding::Control);
    assert_eq!(store.value, None);
    store.commit(&mut fpu, true);
    assert_eq!(fpu.top, 0);
    assert!(fpu.exception_pending());
    assert_eq!(fpu.status_word(), BUSY | ERROR_SUMMARY | STACK_FAULT | 1);
    control::clear_exceptions(&mut fpu);
    assert!(!fpu.exception_pending());
    assert_eq!(fpu.status_word(), 0);
}

#[test]
fn unmasking_a_flagged_exception_makes_it_pending() {
    let mut fpu = p6();
    transfer::load_constant(&mut fpu, Constant::One);
    transfer::load_constant(&mut fpu, Constant::Zero);
    arith::arithmetic(&mut fpu, Operation::Div, 1, 0, true);
    assert_eq!(fpu.st(0), INFINITY);
    assert!(!fpu.exception_pending());
    control::load_control(&mut fpu, 0x037B);
    assert!(fpu.exception_pending());
}

#[test]
fn a_store_commits_nothing_before_its_value_is_written() {
    let mut fpu = p6();
    transfer::load_constant(&mut fpu, Constant::Pi);
    let before = fpu.clone();
    let store = transfer::store_f32(&fpu);
    assert_eq!(store.value, Some(F32(0x4049_0FDB)));
    assert_eq!(fpu, before);
    store.commit(&mut fpu, true);
    assert_eq!(fpu.top, 0);
    assert!(fpu.is_empty(7));
}

#[test]
fn infinities_are_projective_on_the_8087_and_80287_unless_control_says_affine() {
    for generation in [Generation::I8087, Generation::I80287] {
        let mut fpu = Fpu::new(generation);
        transfer::load_f80(&mut fpu, INFINITY);
        transfer::load_f80(&mut fpu, INFINITY.negate());
        compare::compare(&mut fpu, 1, Comparison::Ordered, 0);
        assert_eq!(fpu.status & (C0 | C2 | C3), C3);
        assert_eq!(fpu.status & 1, 0);
        transfer::load_f80(&mut fpu, TWO);
        compare::compare(&mut fpu, 1, Comparison::Ordered, 0);
        assert_eq!(fpu.status & (C0 | C2 | C3 | 1), C0 | C2 | C3 | 1);

        control::load_control(&mut fpu, 0x13FF);
        control::clear_exceptions(&mut fpu);
        compare::compare(&mut fpu, 1, Comparison::Ordered, 0);
        assert_eq!(fpu.status & (C0 | C2 | C3 | 1), 0);
        arith::arithmetic(&mut fpu, Operation::Add, 1, 1, false);
        assert_eq!(fpu.st(1), INFINITY.negate());
    }
    let mut fpu = Fpu::new(Generation::I8087);
    transfer::load_f80(&mut fpu, INFINITY);
    arith::arithmetic(&mut fpu, Operation::Add, 0, 0, false);
    assert_eq!(fpu.st(0), F80::INDEFINITE);
}

#[test]
fn only_the_8087_knows_the_interrupt_enable_mask() {
    let mut fpu = Fpu::new(Generation::I8087);
    control::load_control(&mut fpu, 0x03FE);
    transfer::store_f32(&fpu).commit(&mut fpu, true);
    assert!(fpu.exception_pending());
    assert!(!control::interrupt_requested(&fpu));
    control::set_interrupts(&mut fpu, true);
    assert!(control::interrupt_requested(&fpu));
    control::set_interrupts(&mut fpu, false);
    assert_eq!(fpu.control, 0x03FE);

    // The classic test for an 80287: FNDISI leaves bit 7 of the control word clear.
    let mut fpu = Fpu::new(Generation::I80287);
    control::load_control(&mut fpu, 0x033F);
    control::set_interrupts(&mut fpu, false);
    assert_eq!(fpu.control & 0x80, 0);
}

#[test]
fn a_sine_next_to_the_smallest_normal_number_is_rounded_by_amd_and_kept_by_intel() {
    const KEPT: u64 = 1 << 63;
    const BELOW: u64 = KEPT - 1;
    let (exact, tiny) = (Flags::INEXACT, Flags::INEXACT.union(Flags::UNDERFLOW));
    // Control word, sign; exponent, significand and flags as AMD's processors (Zen 4) were seen to give them.
    let cases = [
        (0x37F, 0, 1, KEPT, exact),
        (0x77F, 0, 0, BELOW, tiny),
        (0xB7F, 0, 1, KEPT, exact),
        (0xF7F, 0, 0, BELOW, tiny),
        (0x77F, 0x8000, 1, KEPT, exact),
        (0xB7F, 0x8000, 0, BELOW, tiny),
        // The precision of arithmetic is not that of these.
        (0x47F, 0, 0, BELOW, tiny),
        // Underflow unmasked: 2^24576 times the result, which is tiny if rounding makes it less.
        (0x36F, 0, 1, KEPT, exact),
        (0x76F, 0, 0x6000, u64::MAX, tiny),
    ];
    let instructions: [(Step, bool); 3] = [
        (transcendental::sine, false),
        (transcendental::sine_cosine, false),
        (transcendental::arc_tangent, true),
    ];
    for (amd, (control, sign, exponent, significand, flags)) in [false, true]
        .into_iter()
        .flat_map(|amd| cases.map(|c| (amd, c)))
    {
        let (expected, flags) = if amd {
            (F80::new(sign | exponent, significand), flags)
        } else {
            (F80::new(sign | 1, KEPT), exact)
        };
        // A pseudo-denormal is the same number, and a denormal operand.
        for (operand, operand_flags) in [(1, Flags::empty()), (0, Flags::DENORMAL)] {
            for (instruction, by_one) in instructions {
                let mut fpu = p6().of_amd(amd);
                control::load_control(&mut fpu, control);
                push(&mut fpu, F80::new(sign | operand, KEPT));
                if by_one {
                    push(&mut fpu, F80::ONE);
                }
                instruction(&mut fpu);
                // The cosine lies above the sine.
                let result = if fpu.occupied.count_ones() == 2 { 1 } else { 0 };
                let raised = Flags::from_bits_truncate(fpu.status_word() as u8 & 0x3F);
                assert_eq!(
                    (fpu.st(result), raised),
                    (expected, flags | operand_flags),
                    "{amd} {control:X} {sign:X} {operand} {by_one}"
                );
            }
        }
    }
}

#[test]
fn a_denormal_number_that_a_remainder_or_a_scale_leaves_is_an_unmasked_underflow_of_amd_alone() {
    const DENORMAL: F80 = F80::new(0x8000, 3);
    let instructions: [(Step, F80); 4] = [
        (
            |fpu| arith::remainder(fpu, RemainderKind::Truncate),
            INFINITY,
        ),
        (
            |fpu| arith::remainder(fpu, RemainderKind::Nearest),
            INFINITY,
        ),
        (arith::scale, F80::ZERO),
        (arith::scale, F80::zero(true)),
    ];
    let underflow = Flags::DENORMAL | Flags::UNDERFLOW;
    // Maker, control word; the result, 2^24576 times too large where underflow is unmasked (as Zen 4 gives it), and flags.
    let cases = [
        (true, 0x36F, F80::new(0xDFC3, 3 << 62), underflow),
        (true, 0x37F, DENORMAL, Flags::DENORMAL),
        (false, 0x36F, DENORMAL, Flags::DENORMAL),
        (false, 0x37F, DENORMAL, Flags::DENORMAL),
    ];
    for (instruction, by) in instructions {
        for (amd, control, expected, flags) in cases {
            let run = |operand| {
                let mut fpu = p6().of_amd(amd);
                control::load_control(&mut fpu, control);
                push(&mut fpu, by);
                push(&mut fpu, operand);
                instruction(&mut fpu);
                let raised = Flags::from_bits_truncate(fpu.status_word() as u8 & 0x3F);
                (fpu.st(0), raised)
            };
            assert_eq!(run(DENORMAL), (expected, flags), "{amd} {control:X}");
            // A pseudo-denormal is normal, and a zero no number to round.
            let normal = (F80::new(1, 1 << 63), Flags::DENORMAL);
            assert_eq!(run(F80::new(0, 1 << 63)), normal);
            assert_eq!(run(F80::zero(true)), (F80::zero(true), Flags::empty()));
        }
    }
}
