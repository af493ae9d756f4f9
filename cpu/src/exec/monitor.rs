//! MONITOR and MWAIT (SDM vol. 2, each; vol. 3, section 8.10.4; AMD, "AMD64 Architecture Programmer's Manual", volume 3,
//! 24594, "MONITOR", "MWAIT").
//!
//! MONITOR arms the line of 64 bytes around an address; MWAIT waits like HLT until something triggers the monitor, and goes on at
//! once if that has happened or nothing was armed. What triggers it:
//!
//! * A store to the line, by this CPU, by a device's DMA, by a debugger: the line is marked as decoded code is, so that
//!   every store to it is noticed, whoever makes it and whatever it changes.
//! * What leads away from the loop that waits: an interrupt, an exception, an SMI or INIT, a far transfer, SYSENTER,
//!   SYSCALL and their returns, a new value in CR0, CR3, CR4 or IA32_EFER.
//!
//! Hints (EAX of MWAIT, EDX of MONITOR) change nothing, so every state of MWAIT is C1, and no deeper one is enumerated.
//!
//! **Known inaccuracies**: the line need not be in memory that is cached write-back, as long as it is RAM; elsewhere nothing is
//! armed. MWAIT tells the board nothing, where processors send a special cycle or a message.

use crate::fault::Fault;
use crate::interpreter::Interpreter;
use crate::mem::address::{self, Address, Segmented};
use crate::mem::paging::Purpose;
use crate::models::Msrs;
use crate::op::{Instruction, OpRef, Stop};
use emu_core::Width;
use emu_core::ram::{CODE_GRANULE_BYTES, granule_mask};
use emu_core::x86::{Activity, Gpr};

/// Bytes in a line that is monitored, as CPUID leaf 5 says.
pub const LINE_BYTES: u32 = CODE_GRANULE_BYTES as u32;
/// IA32_MISC_ENABLE: MONITOR and MWAIT are there.
pub const MISC_ENABLE_MONITOR: u64 = 1 << 18;
/// MWAIT's ECX: masked interrupts end the wait too.
const FOR_MASKED: u64 = 1;

/// MONITOR: the address is the memory operand.
pub struct Monitor;
/// MWAIT.
pub struct Mwait;

impl Interpreter {
    /// Whether IA32_MISC_ENABLE or HWCR, where there is one, has them switched on.
    pub(crate) fn monitor_enabled(&self) -> bool {
        let by_misc_enable = !self.model.msrs.contains(Msrs::MISC_ENABLE)
            || self.msr.misc_enable & MISC_ENABLE_MONITOR != 0;
        by_misc_enable && !self.monitor_is_off_in_hwcr()
    }

    /// What both ask for: #UD if switched off or not at CPL 0 (where HWCR does not open them to all), #GP(0) for extensions in ECX that do not exist.
    fn begin_monitor(&mut self, extensions: u64) -> Result<u64, Stop> {
        let allowed = self.monitor_enabled() && (self.cpl == 0 || self.monitor_is_for_all());
        self.ensure(allowed, Fault::UD)?;
        let asked = self.regs.named::<u64>(Gpr::Rcx) & self.linear_mask;
        self.ensure(asked & !extensions == 0, Fault::GP0)?;
        Ok(asked)
    }

    /// Something has happened that ends a wait.
    #[inline(always)]
    pub(crate) fn trigger_monitor(&mut self) {
        self.monitor = None;
    }

    /// Looks for the monitored line in the host's memory and has stores to it noticed. Called when it is armed, and when
    /// what was known of the memory is forgotten.
    pub(crate) fn watch_monitored_line(&mut self) {
        self.monitored = 0;
        let Some(line) = self.monitor else { return };
        let page = self.physical_page(line);
        if page.read == 0 || page.read != page.write {
            return;
        }
        let at = (line & 0xFFF) as usize;
        self.monitored = page.read + at as u64;
        self.stamp(page.read, at, at + CODE_GRANULE_BYTES);
    }

    /// Stores have hit granules of a page.
    pub(crate) fn granules_written(&mut self, host_page: u64, granules: u64) {
        if granules & self.monitored_granule(host_page) != 0 {
            self.trigger_monitor();
        }
    }

    /// The granule of a page that is monitored.
    pub(crate) fn monitored_granule(&self, host_page: u64) -> u64 {
        if self.monitor.is_none() || self.monitored & !0xFFF != host_page {
            return 0;
        }
        let at = (self.monitored & 0xFFF) as usize;
        granule_mask(at, at + CODE_GRANULE_BYTES)
    }

    /// While MWAIT waits: whether it is over.
    pub(crate) fn wait_is_over(&self, interrupt: bool) -> bool {
        let for_masked = self.activity == Activity::Waiting { for_masked: true };
        self.monitor.is_none() || for_masked && interrupt
    }
}

impl Instruction for Monitor {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        cpu.begin_monitor(0)?;
        // Checked as a load of a byte.
        let (seg, offset) = (address::segment(&op), Segmented::offset(cpu, op));
        let linear = cpu.linear(seg, offset, Width::Byte, false)?;
        let purpose = Purpose::read(cpu.data_privilege());
        let gpa = cpu.translate(linear, purpose)?.gpa;
        cpu.monitor = Some(gpa & !u64::from(LINE_BYTES - 1));
        cpu.watch_monitored_line();
        if cpu.monitored == 0 {
            cpu.monitor = None;
        }
        Ok(())
    }
}

impl Instruction for Mwait {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        let asked = cpu.begin_monitor(FOR_MASKED)?;
        if cpu.monitor.is_some() {
            cpu.device_access();
            cpu.activity = Activity::Waiting {
                for_masked: asked & FOR_MASKED != 0,
            };
        }
        Err(Stop::Leave)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::model;
    use crate::tests::Board;
    use crate::{CpuModel, Interpreter};
    use emu_core::backend::{Attention, CpuBackend, CpuId, Exit};
    use emu_core::x86::{CpuState, Rflags, Seg, Selector};

    /// monitor / mwait / inc bx / jmp $, at 1000h.
    const WAIT: [u8; 9] = [0x0F, 0x01, 0xC8, 0x0F, 0x01, 0xC9, 0x43, 0xEB, 0xFE];

    /// Real mode, all segments at 0, AX pointing at 2010h.
    fn state(model: &CpuModel) -> CpuState {
        let mut s = model.reset_state();
        for segment in &mut s.segments {
            segment.selector = Selector(0);
            segment.base = 0;
        }
        s.rip = 0x1000;
        s.gpr[Gpr::Rax as usize] = 0x2010;
        s.gpr[Gpr::Rdx as usize] = 0;
        s.gpr[Gpr::Rsp as usize] = 0x8000;
        s
    }

    fn cpu(s: &CpuState) -> Interpreter {
        let mut cpu = Interpreter::new(CpuId(0), model("max"));
        cpu.set_state(s);
        cpu
    }

    fn waiting(code: &[u8], s: &CpuState) -> (Board, Interpreter) {
        let mut board = Board::new(code);
        board.stop_at = 1000;
        let mut cpu = cpu(s);
        assert_eq!(cpu.run(&mut board, None), Exit::Halted);
        (board, cpu)
    }

    #[test]
    fn a_store_by_dma_to_any_byte_of_the_line_ends_the_wait_and_one_beside_it_does_not() {
        for (at, wakes) in [
            (0x1FFF, false),
            (0x2000, true),
            (0x2010, true),
            (0x203F, true),
            (0x2040, false),
        ] {
            let (mut board, mut cpu) = waiting(&WAIT, &state(model("max")));
            // What it writes is no news.
            let old = [board.ram[0].read_u8(at)];
            board.ram[0].write(at, &old);
            let exit = cpu.run(&mut board, None);
            let woken = cpu.state().gpr[Gpr::Rbx as usize] == 1;
            assert_eq!((exit == Exit::SliceEnd, woken), (wakes, wakes), "{at:x}");
        }
    }

    #[test]
    fn a_wait_goes_on_after_a_restore_on_another_machine() {
        let (_, waiting) = waiting(&WAIT, &state(model("max")));
        let mut board = Board::new(&WAIT);
        board.stop_at = 1000;
        let mut cpu = cpu(&waiting.state());
        assert_eq!(cpu.run(&mut board, None), Exit::Halted);
        assert_eq!(cpu.state(), waiting.state());
        board.ram[0].write(0x2030, &[1]);
        assert_eq!(cpu.run(&mut board, None), Exit::SliceEnd);
        assert_eq!(cpu.state().gpr[Gpr::Rbx as usize], 1);
    }

    #[test]
    fn mwait_falls_through_without_monitor_and_after_a_store_of_its_own() {
        // mov [2020h],cl between the two; another line; none armed.
        for (code, waits) in [
            (
                &[
                    0x0F, 0x01, 0xC8, 0x88, 0x0E, 0x20, 0x20, 0x0F, 0x01, 0xC9, 0xEB, 0xFE,
                ][..],
                false,
            ),
            (
                &[
                    0x0F, 0x01, 0xC8, 0x88, 0x0E, 0x40, 0x20, 0x0F, 0x01, 0xC9, 0xEB, 0xFE,
                ],
                true,
            ),
            (&[0x0F, 0x01, 0xC9, 0xEB, 0xFE], false),
            // A far jump, an interrupt, MOV to CR0 between.
            (
                &[
                    0x0F, 0x01, 0xC8, 0xEA, 0x08, 0x10, 0, 0, 0x0F, 0x01, 0xC9, 0xEB, 0xFE,
                ],
                false,
            ),
            (
                &[0x0F, 0x01, 0xC8, 0xCD, 0x40, 0x0F, 0x01, 0xC9, 0xEB, 0xFE],
                false,
            ),
            (
                &[
                    0x0F, 0x01, 0xC8, 0x0F, 0x22, 0xC1, 0x0F, 0x01, 0xC9, 0xEB, 0xFE,
                ],
                false,
            ),
        ] {
            let mut board = Board::new(code);
            board.stop_at = 1000;
            // Interrupt 40h: iret, at 3000h.
            board.ram[0].write(0x100, &[0x00, 0x30, 0, 0]);
            board.ram[0].write(0x3000, &[0xCF]);
            let mut cpu = cpu(&state(model("max")));
            let exit = cpu.run(&mut board, None);
            assert_eq!(exit == Exit::Halted, waits, "{code:02x?}");
        }
    }

    #[test]
    fn interrupts_end_the_wait_masked_ones_only_if_asked_for() {
        for (extension, open, woken) in [(0, false, false), (1, false, true), (0, true, true)] {
            // mov cl,extension between monitor and mwait.
            let code = [&WAIT[..3], &[0xB1, extension], &WAIT[3..]].concat();
            let mut s = state(model("max"));
            s.rflags.set(Rflags::IF, open);
            let (mut board, mut cpu) = waiting(&code, &s);
            board.attention = Attention::INTR;
            // Interrupt 0, which the board answers with: jmp $ at 3000h.
            board.ram[0].write(0x3000, &[0xEB, 0xFE]);
            board.vector = Some(0x40);
            board.ram[0].write(0x100, &[0x00, 0x30, 0, 0]);
            cpu.run(&mut board, None);
            let s = cpu.state();
            assert_eq!(s.activity == Activity::Running, woken, "{extension} {open}");
            assert_eq!(s.rip == 0x3000, open);
            // A masked one is not taken.
            assert_eq!(s.gpr[Gpr::Rbx as usize] == 1, woken && !open);
        }
    }

    #[test]
    fn they_are_undefined_at_cpl_3_and_switched_off_and_refuse_extensions() {
        let fault = |name: &str, change: fn(&mut CpuState)| {
            let mut s = state(model(name));
            change(&mut s);
            let mut board = Board::new(&WAIT);
            board.stop_at = 1;
            // Vectors 6 and 13.
            board.ram[0].write(4 * 6, &[0x06, 0x30, 0, 0]);
            board.ram[0].write(4 * 13, &[0x0D, 0x30, 0, 0]);
            let mut cpu = Interpreter::new(CpuId(0), model(name));
            cpu.set_state(&s);
            cpu.run(&mut board, None);
            cpu.state().rip
        };
        assert_eq!(fault("max", |_| ()), 0x1003);
        assert_eq!(fault("epyc", |_| ()), 0x1003);
        assert_eq!(fault("pentium4", |_| ()), 0x3006);
        assert_eq!(fault("max", |s| s.gpr[Gpr::Rcx as usize] = 1), 0x300D);
        let off: fn(&mut CpuState) = |s| s.msr.misc_enable &= !MISC_ENABLE_MONITOR;
        assert_eq!(fault("max", off), 0x3006);
        // EPYC has no IA32_MISC_ENABLE.
        assert_eq!(fault("epyc", off), 0x1003);
        let mut s = state(model("max"));
        s.cr0 |= emu_core::x86::Cr0::PE;
        s.segments[Seg::Ss as usize].attributes =
            s.segments[Seg::Ss as usize].attributes.with_dpl(3);
        let mut cpu = cpu(&s);
        assert_eq!(cpu.begin_monitor(0), Err(Stop::Fault));
        assert_eq!(cpu.fault, Fault::UD);
    }

    #[test]
    fn cpuid_offers_them_while_they_are_switched_on() {
        let model = model("max");
        assert_eq!(model.cpuid(5, 0), [64, 64, 3, 0x10]);
        // cpuid
        let ecx = |s: &CpuState| {
            let mut board = Board::new(&[0x0F, 0xA2]);
            board.stop_at = 1;
            let mut cpu = cpu(s);
            cpu.run(&mut board, None);
            cpu.state().gpr[Gpr::Rcx as usize]
        };
        let mut s = state(model);
        s.gpr[Gpr::Rax as usize] = 1;
        assert_eq!(ecx(&s) >> 3 & 1, 1);
        s.msr.misc_enable &= !MISC_ENABLE_MONITOR;
        assert_eq!(ecx(&s) >> 3 & 1, 0);
    }
}
