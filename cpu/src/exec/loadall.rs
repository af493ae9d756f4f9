//! LOADALL of the 80286 (0F 05): every register, hidden parts included, from physical memory at 800h (Intel, "Undocumented
//! iAPX 286 Test Instruction").
//!
//! **Known inaccuracies**: in real mode the access-rights bytes count for nothing, where the chip refuses a segment whose
//! valid bit is clear.

use crate::fault::Fault;
use crate::interpreter::Interpreter;
use crate::op::{Instruction, OpRef, Stop};
use emu_core::Width;
use emu_core::x86::{Cr0, DescriptorTable, Seg, SegmentAttributes as A, SegmentRegister, Selector};

/// Where the image lies, and what is at which distance in it.
const IMAGE: u64 = 0x800;
const MSW: u64 = 0x06;
const TR: u64 = 0x16;
const FLAGS: u64 = 0x18;
const IP: u64 = 0x1A;
const LDT: u64 = 0x1C;
const SELECTORS: [(Seg, u64, u64); 4] = [
    (Seg::Ds, 0x1E, 0x48),
    (Seg::Ss, 0x20, 0x42),
    (Seg::Cs, 0x22, 0x3C),
    (Seg::Es, 0x24, 0x36),
];
/// DI, SI, BP, SP, BX, DX, CX, AX: the order of their encodings backwards.
const REGISTERS: u64 = 0x26;
const GDT_CACHE: u64 = 0x4E;
const LDT_CACHE: u64 = 0x54;
const IDT_CACHE: u64 = 0x5A;
const TSS_CACHE: u64 = 0x60;

/// LOADALL.
pub struct Loadall;

impl Interpreter {
    fn image_word(&mut self, at: u64) -> u16 {
        self.physical_read(IMAGE + at, Width::Word) as u16
    }

    /// Six bytes: base, access rights, limit.
    fn image_cache(&mut self, at: u64, selector: u16) -> SegmentRegister {
        let low = self.image_word(at);
        let middle = self.image_word(at + 2);
        let attributes = A::from_bits_retain(u32::from(middle >> 8));
        let usable = if attributes.contains(A::PRESENT) {
            A::USABLE
        } else {
            A::empty()
        };
        SegmentRegister {
            selector: Selector(selector),
            base: u64::from(low) | u64::from(middle & 0xFF) << 16,
            limit: self.image_word(at + 4).into(),
            attributes: attributes | usable,
        }
    }

    fn image_table(&mut self, at: u64) -> DescriptorTable {
        let r = self.image_cache(at, 0);
        DescriptorTable {
            base: r.base,
            limit: r.limit as u16,
        }
    }
}

impl Instruction for Loadall {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        cpu.ensure(cpu.cpl == 0, Fault::GP0)?;
        // As with LMSW, PE can be set but not cleared.
        let low = Cr0::PE | Cr0::MP | Cr0::EM | Cr0::TS;
        let msw = Cr0::from_bits_retain(cpu.image_word(MSW).into()) & low;
        cpu.cr0 = (cpu.cr0 - (low - Cr0::PE)) | msw;
        cpu.settle_simd();
        for (n, r) in (0..8u64).rev().zip(0..8u8) {
            let v = cpu.image_word(REGISTERS + 2 * n);
            cpu.regs.set(r, v);
        }
        for (seg, selector, cache) in SELECTORS {
            let selector = cpu.image_word(selector);
            let reg = cpu.image_cache(cache, selector);
            cpu.put_segment(seg, reg);
        }
        let selector = cpu.image_word(LDT);
        cpu.ldtr = cpu.image_cache(LDT_CACHE, selector);
        let selector = cpu.image_word(TR);
        cpu.tr = cpu.image_cache(TSS_CACHE, selector);
        cpu.gdtr = cpu.image_table(GDT_CACHE);
        cpu.idtr = cpu.image_table(IDT_CACHE);
        cpu.rip = cpu.image_word(IP).into();
        let flags = cpu.image_word(FLAGS);
        cpu.update_segments();
        cpu.write_flags(flags.into(), u64::MAX);
        cpu.poll = true;
        Err(Stop::Branch)
    }
}
