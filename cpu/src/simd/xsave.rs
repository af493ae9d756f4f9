//! XSAVE, XSAVEOPT, XSAVEC, XSAVES, XRSTOR, XRSTORS, XGETBV, XSETBV (SDM vol. 1, chapter 13; vol. 2).
//!
//! A component whose registers hold their initial values counts as not in use, which is what the init optimisation goes
//! by. For the modified optimisation of XSAVEOPT and XSAVES (section 13.6) XRSTOR and XRSTORS keep XRSTOR_INFO and a copy of the
//! components in [`Restored`]: a save by the same level to the same linear address, of the same format, leaves out those
//! that still are what they were.
//!
//! What the manual leaves open is as measured on a processor with XSAVEC: MXCSR other than 1F80h makes SSE count as in
//! use for XSAVEC, XSAVES and XGETBV, but not in the XSTATE_BV of XSAVE and XSAVEOPT; XRSTOR in standard form loads MXCSR
//! whenever SSE or AVX is asked for, in compacted form with SSE alone.
//!
//! There are no supervisor state components: IA32_XSS holds 0.
//!
//! **Known inaccuracies**: a component that was written, but with the value that it had, counts as unmodified, where a
//! processor (a Xeon with AVX-512) notices the write; FXRSTOR alone is noticed here too.

use super::Simd;
use super::control::{MXCSR_BITS, XCR0_AVX, XCR0_PKRU, XCR0_SSE, XCR0_X87};
use super::host::vector::Registers;
use super::image::{LEGACY_BYTES, MXCSR_AT, MXCSR_MASK_AT, ST_AT, XMM_AT, doubleword, field};
use crate::fault::Fault;
use crate::interpreter::Interpreter;
use crate::mem::address::{self, Address, Segmented};
use crate::models::CpuModel;
use crate::op::{Instruction, OpRef, Stop};
use crate::x87::fxsave::HEADER_BYTES;
use emu_core::x86::{Cr0, Cr4, Gpr, MXCSR_RESET, Restored, VECTOR_REGISTERS};
use iced_x86::CpuidFeature as F;

/// Where the XSAVE header stands, behind the legacy region.
const HEADER_AT: u64 = 512;
/// Where the extended region starts.
const EXTENDED_AT: u32 = 576;
/// What an area's address is a multiple of.
const XSAVE_ALIGNMENT: u64 = 64;
/// XCOMP_BV: the area is compacted.
const COMPACTED: u64 = 1 << 63;

/// A state component of the extended region: its bit, its size and its place in standard form.
pub struct Component {
    /// Bit of XCR0.
    pub number: u32,
    /// Bytes.
    pub bytes: u32,
    /// Offset in standard form.
    pub at: u32,
}

/// The upper halves of the YMM registers; PKRU.
pub const COMPONENTS: [Component; 2] = [
    Component {
        number: 2,
        bytes: 256,
        at: EXTENDED_AT,
    },
    Component {
        number: 9,
        bytes: 8,
        at: EXTENDED_AT + 256,
    },
];

impl CpuModel {
    /// The bits that XCR0 can have.
    pub fn state_components(&self) -> u64 {
        if !self.has(F::XSAVE) {
            return 0;
        }
        let bit = |feature, bit| if self.has(feature) { bit } else { 0 };
        XCR0_X87 | bit(F::SSE, XCR0_SSE) | bit(F::AVX, XCR0_AVX) | bit(F::PKU, XCR0_PKRU)
    }
}

/// The size of an area for these components.
pub fn area_bytes(components: u64, compacted: bool) -> u32 {
    let mut end = EXTENDED_AT;
    for c in COMPONENTS {
        if components >> c.number & 1 != 0 {
            end = if compacted { end } else { c.at } + c.bytes;
        }
    }
    end
}

/// Where the last of these components ends in an area of this format, or the header if there is none.
fn end(components: u64, format: u64) -> u64 {
    let asked = COMPONENTS
        .iter()
        .filter(|c| components >> c.number & 1 != 0);
    let ends = asked.map(|c| place(c.number, format) + u64::from(c.bytes));
    ends.max().unwrap_or(EXTENDED_AT.into())
}

/// Where a component stands in an area of this format.
fn place(number: u32, format: u64) -> u64 {
    let below = format & ((1 << number) - 1);
    let standard = COMPONENTS.iter().find(|c| c.number == number);
    match (format & COMPACTED != 0, standard) {
        (false, Some(c)) => c.at.into(),
        _ => area_bytes(below, true).into(),
    }
}

/// XGETBV.
pub struct Xgetbv;
/// XSETBV.
pub struct Xsetbv;
/// XSAVE, XSAVEOPT (`OPTIMISED`); `WIDE`: with REX.W.
pub struct Xsave<const OPTIMISED: bool, const WIDE: bool>;
/// XSAVEC, XSAVES (`SUPERVISOR`).
pub struct XsaveCompacted<const SUPERVISOR: bool, const WIDE: bool>;
/// XRSTOR, XRSTORS (`SUPERVISOR`).
pub struct Xrstor<const SUPERVISOR: bool, const WIDE: bool>;

impl Interpreter {
    /// #UD without CR4.OSXSAVE.
    fn require_xsave(&mut self) -> Result<(), Stop> {
        let enabled = self.cr4.contains(Cr4::OSXSAVE);
        self.ensure(enabled, Fault::UD)
    }

    /// What all saves and restores ask for; the components that they are asked for, and the area's linear address.
    ///
    /// Of several faults of the operand the manuals order none. AMD's processors (Zen 4) look at the alignment before
    /// anything else (of an unaligned area EFLAGS.AC makes no #AC), then at the first byte, segment and page, and then as
    /// [`Self::reach_end`] says.
    fn begin_xsave(
        &mut self,
        op: OpRef,
        supervisor: bool,
        write: bool,
    ) -> Result<(u64, u64), Stop> {
        self.require_xsave()?;
        let available = !self.cr0.contains(Cr0::TS);
        self.ensure(available, Fault::NM)?;
        if supervisor {
            self.require_cpl_0()?;
        }
        let address = if self.model.is_amd() {
            let (seg, offset) = (address::segment(&op), Segmented::offset(self, op));
            let linear = self.segments[seg % 6].base.wrapping_add(offset);
            self.ensure(linear & (XSAVE_ALIGNMENT - 1) == 0, Fault::GP0)?;
            self.check_byte(op, 0, write)?
        } else {
            self.check_area(op, EXTENDED_AT.into(), XSAVE_ALIGNMENT, write)?
        };
        let low = u64::from(self.regs.named::<u32>(Gpr::Rax));
        let high = u64::from(self.regs.named::<u32>(Gpr::Rdx));
        Ok((self.simd.xcr0 & (high << 32 | low), address))
    }

    /// AMD's processors (Zen 4) look at the last byte of the components, segment and page, before they store or load any:
    /// of those that are asked for, in compacted form to restore those of them that are there.
    fn reach_end(
        &mut self,
        op: OpRef,
        components: u64,
        format: u64,
        write: bool,
    ) -> Result<(), Stop> {
        if self.model.is_amd() {
            self.check_byte(op, end(components, format) - 1, write)?;
        }
        Ok(())
    }

    /// Notes a restore, behind it: XRSTOR_INFO, and what XMODIFIED will be found from.
    fn note_restored(&mut self, address: u64, format: u64, components: u64) {
        let simd = self.simd.to_state();
        self.restored = Some(Restored {
            cpl: self.cpl,
            address,
            format,
            components,
            registers: self.vector_registers() as u8,
            x87: self.x87.to_state(),
            vectors: simd.vectors,
            mxcsr: simd.mxcsr,
            pkru: self.pkru,
        });
    }

    /// The components that a save of this format to this address may leave out, as they are what was restored from there
    /// (SDM vol. 1, sections 13.9 and 13.11): the complement of XMODIFIED, or nothing.
    fn unmodified(&self, address: u64, format: u64) -> u64 {
        let Some(r) = self.restored.as_ref().filter(|r| {
            (r.cpl, r.address, r.format) == (self.cpl, address, format)
                && usize::from(r.registers) == self.vector_registers()
        }) else {
            return 0;
        };
        let simd = self.simd.to_state();
        let same = |half: usize| {
            let mut pairs = simd.vectors.iter().zip(&r.vectors);
            pairs.all(|(now, then)| now[2 * half..][..2] == then[2 * half..][..2])
        };
        let bit = |unmodified: bool, bit: u64| if unmodified { bit } else { 0 };
        r.components
            & (bit(self.x87.to_state() == r.x87, XCR0_X87)
                | bit(same(0) && simd.mxcsr == r.mxcsr, XCR0_SSE)
                | bit(same(1), XCR0_AVX)
                | bit(self.pkru == r.pkru, XCR0_PKRU))
    }

    /// The components that do not hold their initial values; MXCSR is not looked at.
    fn components_in_use(&self) -> u64 {
        let mut x87 = [0; XMM_AT];
        self.x87_image(&mut x87, true);
        let used = |half: usize| {
            let mut registers = self.simd.registers.first(VECTOR_REGISTERS);
            registers.any(|r| r[half] != 0)
        };
        let bit = |used: bool, bit: u64| if used { bit } else { 0 };
        bit(
            x87 != initial_x87() || self.x87.fcs != 0 || self.x87.fds != 0,
            XCR0_X87,
        ) | bit(used(0), XCR0_SSE)
            | bit(used(1), XCR0_AVX)
            | bit(self.pkru != 0, XCR0_PKRU)
    }

    /// The SSE bit if MXCSR does not hold its initial value.
    fn mxcsr_in_use(&self) -> u64 {
        if self.simd.mxcsr == MXCSR_RESET {
            0
        } else {
            XCR0_SSE
        }
    }

    /// Stores components; `format` is the area's XCOMP_BV.
    fn store_components(
        &mut self,
        op: OpRef,
        components: u64,
        format: u64,
        wide: bool,
    ) -> Result<(), Stop> {
        if components & XCR0_X87 != 0 {
            let mut area = [0; XMM_AT];
            self.x87_image(&mut area, wide);
            self.store_area(op, 0, &area[..HEADER_BYTES])?;
            self.store_area(op, ST_AT as u64, &area[ST_AT..])?;
        }
        let n = self.vector_registers();
        let halves = |cpu: &Self, half: usize| -> Vec<u8> {
            let registers = cpu.simd.registers.first(n);
            registers.flat_map(|r| r[half].to_le_bytes()).collect()
        };
        if components & XCR0_SSE != 0 {
            let bytes = halves(self, 0);
            self.store_area(op, XMM_AT as u64, &bytes)?;
        }
        if components & XCR0_AVX != 0 {
            let bytes = halves(self, 1);
            self.store_area(op, place(2, format), &bytes)?;
        }
        if components & XCR0_PKRU != 0 {
            let bytes = u64::from(self.pkru).to_le_bytes();
            self.store_area(op, place(9, format), &bytes)?;
        }
        Ok(())
    }

    /// Stores MXCSR and its mask.
    fn store_mxcsr(&mut self, op: OpRef) -> Result<(), Stop> {
        let mut bytes = [0; 8];
        bytes[..4].copy_from_slice(&self.simd.mxcsr.to_le_bytes());
        bytes[MXCSR_MASK_AT - MXCSR_AT..].copy_from_slice(&MXCSR_BITS.to_le_bytes());
        self.store_area(op, MXCSR_AT as u64, &bytes)
    }
}

/// The x87 part of the area as initial values make it (SDM vol. 1, section 13.6).
fn initial_x87() -> [u8; XMM_AT] {
    let mut area = [0; XMM_AT];
    area[..2].copy_from_slice(&0x037Fu16.to_le_bytes());
    area
}

impl Instruction for Xgetbv {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        cpu.require_xsave()?;
        let v = match cpu.regs.named::<u32>(Gpr::Rcx) {
            0 => cpu.simd.xcr0,
            1 if cpu.model.has(F::XSAVEC) => {
                cpu.simd.xcr0 & (cpu.components_in_use() | cpu.mxcsr_in_use())
            }
            _ => return Err(cpu.fault(Fault::GP0)),
        };
        cpu.regs.set_named(Gpr::Rax, v as u32);
        cpu.regs.set_named(Gpr::Rdx, (v >> 32) as u32);
        Ok(())
    }
}

impl Instruction for Xsetbv {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        cpu.require_xsave()?;
        cpu.require_cpl_0()?;
        let number = cpu.regs.named::<u32>(Gpr::Rcx);
        let low = u64::from(cpu.regs.named::<u32>(Gpr::Rax));
        let v = low | u64::from(cpu.regs.named::<u32>(Gpr::Rdx)) << 32;
        let known = v & !cpu.model.state_components() == 0 && v & XCR0_X87 != 0;
        let consistent = v & XCR0_AVX == 0 || v & XCR0_SSE != 0;
        cpu.ensure(number == 0 && known && consistent, Fault::GP0)?;
        cpu.set_xcr0(v);
        Ok(())
    }
}

impl<const OPTIMISED: bool, const WIDE: bool> Instruction for Xsave<OPTIMISED, WIDE> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let (asked, address) = cpu.begin_xsave(op, false, true)?;
        cpu.reach_end(op, asked, 0, true)?;
        let in_use = cpu.components_in_use();
        let old: [u8; 8] = cpu.load_area(op, HEADER_AT)?;
        let saved = if OPTIMISED {
            asked & in_use & !cpu.unmodified(address, 0)
        } else {
            asked
        };
        cpu.store_components(op, saved, 0, WIDE)?;
        if asked & (XCR0_SSE | XCR0_AVX) != 0 {
            cpu.store_mxcsr(op)?;
        }
        let new = u64::from_le_bytes(old) & !asked | asked & in_use;
        cpu.store_area(op, HEADER_AT, &new.to_le_bytes())
    }
}

impl<const SUPERVISOR: bool, const WIDE: bool> Instruction for XsaveCompacted<SUPERVISOR, WIDE> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let (asked, address) = cpu.begin_xsave(op, SUPERVISOR, true)?;
        let present = asked & (cpu.components_in_use() | cpu.mxcsr_in_use());
        let format = asked | COMPACTED;
        cpu.reach_end(op, asked, format, true)?;
        let mut saved = present;
        if SUPERVISOR {
            saved &= !cpu.unmodified(address, format);
        }
        cpu.store_components(op, saved, format, WIDE)?;
        if saved & XCR0_SSE != 0 {
            cpu.store_mxcsr(op)?;
        }
        let header = [present.to_le_bytes(), format.to_le_bytes()];
        cpu.store_area(op, HEADER_AT, header.as_flattened())
    }
}

/// XSTATE_BV and XCOMP_BV of a header that can be restored with this XCR0.
fn checked_header(header: &[u8; 64], xcr0: u64, only_compacted: bool) -> Option<(u64, u64)> {
    let quadword =
        |at| u64::from(doubleword(header, at)) | u64::from(doubleword(header, at + 4)) << 32;
    let (present, format) = (quadword(0), quadword(8));
    let ok = if format & COMPACTED == 0 {
        !only_compacted && present & !xcr0 == 0 && header[8..24].iter().all(|b| *b == 0)
    } else {
        let there = format & !COMPACTED;
        there & !xcr0 == 0 && present & !there == 0 && header[16..].iter().all(|b| *b == 0)
    };
    ok.then_some((present, format))
}

impl<const SUPERVISOR: bool, const WIDE: bool> Instruction for Xrstor<SUPERVISOR, WIDE> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let (asked, address) = cpu.begin_xsave(op, SUPERVISOR, false)?;
        let header: [u8; 64] = cpu.load_area(op, HEADER_AT)?;
        let Some((present, format)) = checked_header(&header, cpu.simd.xcr0, SUPERVISOR)
            .filter(|(_, format)| format & COMPACTED == 0 || cpu.model.has(F::XSAVEC))
        else {
            return Err(cpu.fault(Fault::GP0));
        };
        // Everything is read and checked before anything is written.
        let loaded = asked & present;
        let compacted = format & COMPACTED != 0;
        cpu.reach_end(op, if compacted { loaded } else { asked }, format, false)?;
        let takes_mxcsr = if compacted {
            loaded & XCR0_SSE != 0
        } else {
            asked & (XCR0_SSE | XCR0_AVX) != 0
        };
        let mut legacy = [0; LEGACY_BYTES];
        if loaded & (XCR0_X87 | XCR0_SSE) != 0 {
            legacy = cpu.load_area(op, 0)?;
        }
        let mut mxcsr = MXCSR_RESET;
        if takes_mxcsr {
            let bytes: [u8; 8] = cpu.load_area(op, MXCSR_AT as u64)?;
            mxcsr = doubleword(&bytes, 0);
            cpu.ensure(Simd::mxcsr_can_hold(mxcsr), Fault::GP0)?;
        }
        let mut upper = [0; 256];
        if loaded & XCR0_AVX != 0 {
            upper = if cpu.vector_registers() == 16 {
                cpu.load_area(op, place(2, format))?
            } else {
                let half: [u8; 128] = cpu.load_area(op, place(2, format))?;
                upper[..128].copy_from_slice(&half);
                upper
            };
        }
        let mut pkru = 0;
        if loaded & XCR0_PKRU != 0 {
            let bytes: [u8; 8] = cpu.load_area(op, place(9, format))?;
            pkru = doubleword(&bytes, 0);
        }
        if asked & XCR0_X87 != 0 {
            if loaded & XCR0_X87 != 0 {
                cpu.load_x87_image(&legacy, WIDE);
            } else {
                cpu.load_x87_image(&initial_x87(), true);
            }
            cpu.show_ferr();
        }
        if takes_mxcsr || asked & XCR0_SSE != 0 {
            cpu.set_mxcsr(mxcsr);
        }
        for i in 0..cpu.vector_registers() {
            let place = Registers::place(i);
            let mut register = cpu.simd.get(place);
            if asked & XCR0_SSE != 0 {
                let v = u128::from_le_bytes(field(&legacy, XMM_AT + 16 * i));
                register[0] = if loaded & XCR0_SSE != 0 { v } else { 0 };
            }
            if asked & XCR0_AVX != 0 {
                register[1] = u128::from_le_bytes(field(&upper, 16 * i));
            }
            cpu.simd.registers.set(place, register);
        }
        if asked & XCR0_PKRU != 0 {
            cpu.set_pkru(pkru);
        }
        cpu.note_restored(address, format, asked);
        Ok(())
    }
}
