//! The interpreter's state: the architectural registers, what is derived from them, and its caches.

use crate::alu::Flags;
use crate::block::BlockCache;
use crate::decode::prefetch::Queue;
use crate::decode::{BLOCK_BYTES_MAX, Buffers};
use crate::exec::monitor::LINE_BYTES;
use crate::fault::Fault;
use crate::mem::paging::PhysicalPages;
use crate::mem::segment::{Rules, Segment};
use crate::mem::tlb::{Privilege, Tlb};
use crate::models::CpuModel;
use crate::op::Stop;
use crate::registers::Registers;
use crate::run::Attached;
use crate::simd::Simd;
use crate::tuning::Tuning;
use crate::x87::Fpu;
use emu_core::backend::{BackendStats, CpuId, Kick};
use emu_core::x86::{
    Activity, CpuState, Cr0, Cr4, DescriptorTable, Efer, GPR_COUNT, Gpr, MsrState, Prefetch,
    Restored, Rflags, Seg, SegmentAttributes, SegmentRegister, SmmState,
};

/// What decoding and execution depend on besides the bytes: the key of a block, next to its place in memory.
pub mod mode {
    /// 32-bit code (CS.D).
    pub const CODE_32: u32 = 1 << 0;
    /// 32-bit stack pointer (SS.B).
    pub const STACK_32: u32 = 1 << 1;
    /// DS, ES and SS are flat: base 0, 4 GiB, writable.
    pub const FLAT: u32 = 1 << 2;
    /// CPL 3.
    pub const USER: u32 = 1 << 3;
    /// Protected mode, not virtual-8086.
    pub const PROTECTED: u32 = 1 << 4;
    /// Virtual-8086 mode.
    pub const VIRTUAL_8086: u32 = 1 << 5;
    /// The next instruction is not the one in memory: old bytes are in the prefetch queue.
    pub const PREFETCHED: u32 = 1 << 6;
    /// 64-bit mode (IA32_EFER.LMA and CS.L).
    pub const CODE_64: u32 = 1 << 7;
    /// Not a mode of the CPU: the block is one instruction, behind which the run loop comes.
    pub const SINGLE: u32 = 1 << 8;
    /// Nor this: the block follows no other and is followed by none but by way of the run loop.
    pub const APART: u32 = 1 << 9;

    /// The width of code: 16, 32 or 64.
    pub fn code_bits(mode: u32) -> u32 {
        if mode & CODE_64 != 0 {
            64
        } else if mode & CODE_32 != 0 {
            32
        } else {
            16
        }
    }
}

/// Whether the block must be left behind the instruction that executes.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Leaving {
    /// No.
    No,
    /// A device was touched: unless nothing has come of it.
    Device,
    /// Code was overwritten, or a breakpoint met.
    Block,
}

/// An x86 CPU that decodes instructions to operations and executes them one after the other.
pub struct Interpreter {
    pub(crate) id: CpuId,
    pub(crate) model: &'static CpuModel,

    pub(crate) regs: Registers,
    pub(crate) rip: u64,
    /// Arithmetic flags.
    pub(crate) flags: Flags,
    /// All other flags.
    pub(crate) rflags: Rflags,
    pub(crate) segments: [Segment; 6],
    pub(crate) ldtr: SegmentRegister,
    pub(crate) tr: SegmentRegister,
    pub(crate) gdtr: DescriptorTable,
    pub(crate) idtr: DescriptorTable,
    pub(crate) cr0: Cr0,
    pub(crate) cr2: u64,
    pub(crate) cr3: u64,
    pub(crate) cr4: Cr4,
    /// The task priority, as far as no local APIC holds it.
    pub(crate) cr8: u64,
    pub(crate) efer: Efer,
    pub(crate) pkru: u32,
    pub(crate) pdpte: [u64; 4],
    pub(crate) dr: [u64; 4],
    pub(crate) dr6: u64,
    pub(crate) dr7: u64,
    pub(crate) x87: Fpu,
    pub(crate) simd: Simd,
    /// The last XRSTOR or XRSTORS, for the modified optimisation.
    pub(crate) restored: Option<Restored>,
    /// FERR# is asserted.
    pub(crate) ferr: bool,
    pub(crate) msr: MsrState,
    pub(crate) activity: Activity,
    pub(crate) sti_shadow: bool,
    pub(crate) mov_ss_shadow: bool,
    pub(crate) nmi_blocked: bool,
    pub(crate) nmi_pending: bool,
    pub(crate) smm: SmmState,
    pub(crate) pending_debug: u64,
    /// The generator behind RDRAND and RDSEED.
    pub(crate) random: u64,
    /// The physical address of the line that MONITOR armed and nothing has triggered.
    pub(crate) monitor: Option<u64>,
    /// The host address of that line, 0 if it is in no memory; derived.
    pub(crate) monitored: u64,
    pub(crate) prefetch: Prefetch,
    /// What happens to the prefetch queue at present.
    pub(crate) queue: Queue,
    pub(crate) retired: u64,

    /// Bits of [`mode`], derived.
    pub(crate) mode: u32,
    /// The bits of a linear address that count: all in 64-bit mode, else 32; derived.
    pub(crate) linear_mask: u64,
    /// Added to an instruction pointer before it is compared with `rip_limit`: 0, or in 64-bit mode what makes the
    /// canonical addresses one range from 0 on; derived.
    pub(crate) rip_bias: u64,
    /// The limit of the code segment; in 64-bit mode the last canonical address plus `rip_bias`; derived.
    pub(crate) rip_limit: u64,
    /// The highest instruction pointer from which a block certainly ends within `rip_limit`; outside of 64-bit mode;
    /// derived.
    pub(crate) link_limit: u64,
    /// Current privilege level, derived.
    pub(crate) cpl: u8,
    /// VIF and VIP are both set where they count: the next instruction faults; derived.
    pub(crate) virtual_interrupt_due: bool,
    /// That, or branches are recorded: instructions are executed one by one; derived.
    pub(crate) one_by_one: bool,
    /// The fault that [`Stop::Fault`] speaks of.
    pub(crate) fault: Fault,
    /// Whether the block must be left after this instruction.
    pub(crate) leave_block: Leaving,
    /// `attention` must be read before the next block.
    pub(crate) poll: bool,
    /// A probe watches loads and stores.
    pub(crate) watch_memory: bool,
    /// A performance counter counts; derived.
    pub(crate) counting: bool,
    /// The count of instructions up to which performance counters are up to date; derived.
    pub(crate) counted_to: u64,
    /// Exceptions and interrupts delivered so far.
    pub(crate) deliveries: u64,

    pub(crate) tlb: Tlb,
    pub(crate) physical: PhysicalPages,
    pub(crate) blocks: BlockCache,
    pub(crate) buffers: Buffers,
    pub(crate) attached: Attached,
    pub(crate) kick: Kick,
    pub(crate) stats: BackendStats,
    /// What is done for speed.
    pub(crate) tuning: Tuning,
    /// What the keys of blocks have besides the mode ([`mode::SINGLE`], [`mode::APART`]); derived from `tuning`.
    pub(crate) apart: u32,
}

impl Interpreter {
    /// A CPU of the given model in its reset state.
    pub fn new(id: CpuId, model: &'static CpuModel) -> Self {
        let mut cpu = Self {
            id,
            model,
            regs: Registers::default(),
            rip: 0,
            flags: Flags::default(),
            rflags: Rflags::ONE,
            segments: [Segment::default(); 6],
            ldtr: SegmentRegister::default(),
            tr: SegmentRegister::default(),
            gdtr: DescriptorTable::default(),
            idtr: DescriptorTable::default(),
            cr0: Cr0::empty(),
            cr2: 0,
            cr3: 0,
            cr4: Cr4::empty(),
            cr8: 0,
            efer: Efer::empty(),
            pkru: 0,
            pdpte: [0; 4],
            dr: [0; 4],
            dr6: 0,
            dr7: 0,
            x87: Fpu::new(model.fpu).of_amd(model.is_amd()),
            simd: Simd::default(),
            restored: None,
            ferr: false,
            msr: MsrState::default(),
            activity: Activity::Running,
            sti_shadow: false,
            mov_ss_shadow: false,
            nmi_blocked: false,
            nmi_pending: false,
            smm: SmmState::default(),
            pending_debug: 0,
            random: 0,
            monitor: None,
            monitored: 0,
            prefetch: Prefetch::default(),
            queue: Queue::default(),
            retired: 0,
            mode: 0,
            linear_mask: u64::from(u32::MAX),
            rip_bias: 0,
            rip_limit: 0,
            link_limit: 0,
            cpl: 0,
            virtual_interrupt_due: false,
            one_by_one: false,
            fault: Fault::UD,
            leave_block: Leaving::No,
            poll: false,
            watch_memory: false,
            counting: false,
            counted_to: 0,
            deliveries: 0,
            tlb: Tlb::default(),
            physical: PhysicalPages::new(model),
            blocks: BlockCache::default(),
            buffers: Buffers::default(),
            attached: Attached::default(),
            kick: Kick::default(),
            stats: BackendStats::default(),
            tuning: Tuning::FAST,
            apart: 0,
        };
        cpu.reset(false);
        cpu
    }

    /// The model.
    pub fn model(&self) -> &'static CpuModel {
        self.model
    }

    /// The reset state (SDM vol. 3, table 10-1); with `init`, what INIT leaves alone stays: x87, vector
    /// registers, MSRs, SMBASE, CR0.CD and NW.
    pub(crate) fn reset(&mut self, init: bool) {
        let mut state = self.model.reset_state();
        if init {
            state.x87 = self.x87.to_state();
            state.simd = self.simd.to_state();
            state.msr = self.msr;
            state.msr.performance = self.performance();
            state.smm.base = self.smm.base;
            let kept = Cr0::CD | Cr0::NW;
            state.cr0 = (state.cr0 - kept) | (self.cr0 & kept);
        }
        state.retired = self.retired;
        state.random = self.random;
        if !init {
            // RESET sets the time-stamp counter to 0 (SDM vol. 3, section 18.17).
            state.msr.tsc_offset = self.cycles().wrapping_neg();
        }
        self.load_state(&state);
    }

    /// Notes a fault.
    #[cold]
    pub(crate) fn fault(&mut self, fault: Fault) -> Stop {
        self.fault = fault;
        Stop::Fault
    }

    /// Flags as the flags register holds them.
    pub(crate) fn rflags(&self) -> Rflags {
        self.rflags | Rflags::from_bits_retain(self.flags.bits())
    }

    /// Replaces all flags.
    pub(crate) fn set_rflags(&mut self, flags: Rflags) {
        self.put_rflags(flags);
        self.update_mode();
    }

    /// As [`Self::set_rflags`]; `update_mode` must follow.
    pub(crate) fn put_rflags(&mut self, flags: Rflags) {
        self.flags = Flags::explicit((flags & Rflags::ARITHMETIC).bits());
        self.rflags = (flags - Rflags::ARITHMETIC) | Rflags::ONE;
    }

    /// Whether CR0.PE is set and VM is not.
    pub(crate) fn is_protected(&self) -> bool {
        self.mode & mode::PROTECTED != 0
    }

    /// Whether this is virtual-8086 mode.
    pub(crate) fn is_virtual_8086(&self) -> bool {
        self.mode & mode::VIRTUAL_8086 != 0
    }

    /// Whether this is real-address mode.
    pub(crate) fn is_real(&self) -> bool {
        self.mode & (mode::PROTECTED | mode::VIRTUAL_8086) == 0
    }

    /// A segment register.
    pub(crate) fn segment(&self, seg: Seg) -> &SegmentRegister {
        &self.segments[seg as usize].reg
    }

    /// Replaces a segment register with its hidden part.
    pub(crate) fn set_segment(&mut self, seg: Seg, reg: SegmentRegister) {
        self.segments[seg as usize] = Segment::new(reg, self.segment_rules(seg));
        // Nothing depends on FS and GS.
        if !matches!(seg, Seg::Fs | Seg::Gs) {
            self.update_mode();
        }
    }

    /// Derives everything that depends on CR0, flags and segment registers.
    pub(crate) fn update_mode(&mut self) {
        if !self.update_long_mode() {
            self.update_any_mode();
        }
    }

    /// As [`Self::update_mode`], if it was 64-bit mode before and is now. Whatever changes how many bits an address has
    /// leaves that mode.
    #[inline(always)]
    fn update_long_mode(&mut self) -> bool {
        let attributes = self.segment(Seg::Cs).attributes;
        let stays = self.is_64_bit()
            && self.is_long()
            && self.cr0.contains(Cr0::PE)
            && !self.rflags.contains(Rflags::VM)
            && attributes.contains(SegmentAttributes::LONG);
        if !stays {
            return false;
        }
        let level = self.cpl;
        self.cpl = self.segment(Seg::Ss).attributes.dpl();
        if self.counting && self.cpl != level {
            self.count_for_old_level(level);
        }
        self.virtual_interrupt_due = self.cpl == 3
            && self.rflags.contains(Rflags::VIF | Rflags::VIP)
            && self.cr4.contains(Cr4::PVI)
            && self.rflags.iopl() < 3;
        self.update_care();
        let mut mode = mode::PROTECTED | mode::CODE_64 | mode::FLAT;
        if self.cpl == 3 {
            mode |= mode::USER;
        }
        if self.prefetch.len != 0 {
            mode |= mode::PREFETCHED;
        }
        self.update_privilege();
        self.mode = mode;
        true
    }

    /// Derives which tables data accesses use.
    fn update_privilege(&mut self) {
        let privilege = if self.watch_memory {
            Privilege::Uncached
        } else {
            self.unwatched_privilege()
        };
        self.tlb.set_privilege(privilege);
    }

    #[inline(never)]
    fn update_any_mode(&mut self) {
        let level = self.cpl;
        let mut mode = 0;
        if self.cr0.contains(Cr0::PE) {
            if self.rflags.contains(Rflags::VM) {
                mode |= mode::VIRTUAL_8086;
                self.cpl = 3;
            } else {
                mode |= mode::PROTECTED;
                self.cpl = self.segment(Seg::Ss).attributes.dpl();
            }
        } else {
            self.cpl = 0;
        }
        if self.counting && self.cpl != level {
            self.count_for_old_level(level);
        }
        // SDM vol. 3, sections 2.3 (VIP), 20.3.2 and 20.4.
        let extension = if mode & mode::VIRTUAL_8086 != 0 {
            Cr4::VME
        } else {
            Cr4::PVI
        };
        self.virtual_interrupt_due = self.cpl == 3
            && self.rflags.contains(Rflags::VIF | Rflags::VIP)
            && self.cr4.contains(extension)
            && self.rflags.iopl() < 3;
        self.update_care();
        let big = |seg: Seg| {
            self.segment(seg)
                .attributes
                .contains(SegmentAttributes::BIG)
        };
        let long = self.efer.contains(Efer::LMA)
            && mode & mode::PROTECTED != 0
            && self
                .segment(Seg::Cs)
                .attributes
                .contains(SegmentAttributes::LONG);
        if long {
            mode |= mode::CODE_64 | mode::FLAT;
        } else if big(Seg::Cs) {
            mode |= mode::CODE_32;
        }
        if big(Seg::Ss) && !long {
            mode |= mode::STACK_32;
        }
        if long != self.is_64_bit() {
            self.mode = mode;
            for seg in Seg::ALL {
                let reg = *self.segment(seg);
                self.segments[seg as usize] = Segment::new(reg, self.segment_rules(seg));
            }
        }
        self.derive_limits(long);
        if !long
            && [Seg::Ds, Seg::Es, Seg::Ss]
                .iter()
                .all(|&s| self.segments[s as usize].is_flat_data())
        {
            mode |= mode::FLAT;
        }
        if self.cpl == 3 {
            mode |= mode::USER;
        }
        self.update_privilege();
        if self.prefetch.len != 0 {
            mode |= mode::PREFETCHED;
        }
        self.mode = mode;
    }

    /// Derives how far linear addresses and instruction pointers reach.
    fn derive_limits(&mut self, long: bool) {
        if long {
            self.linear_mask = u64::MAX;
            self.rip_bias = 1 << (self.linear_bits() - 1);
            self.rip_limit = (1 << self.linear_bits()) - 1;
            self.link_limit = 0;
        } else {
            self.linear_mask = u64::from(u32::MAX);
            self.rip_bias = 0;
            self.rip_limit = self.segment(Seg::Cs).limit.into();
            self.link_limit = self.rip_limit.saturating_sub(BLOCK_BYTES_MAX);
        }
    }

    /// An instruction pointer as it is compared with `rip_limit`.
    #[inline(always)]
    pub(crate) fn biased(&self, rip: u64) -> u64 {
        rip.wrapping_add(self.rip_bias)
    }

    /// Whether this is 64-bit mode.
    #[inline(always)]
    pub(crate) fn is_64_bit(&self) -> bool {
        self.mode & mode::CODE_64 != 0
    }

    /// Whether this is IA-32e mode: 64-bit or compatibility mode.
    pub(crate) fn is_long(&self) -> bool {
        self.efer.contains(Efer::LMA)
    }

    /// Bits of a linear address in IA-32e mode.
    pub(crate) fn linear_bits(&self) -> u32 {
        if self.cr4.contains(Cr4::LA57) { 57 } else { 48 }
    }

    /// Whether an address is canonical (SDM vol. 1, section 3.3.7.1).
    pub(crate) fn is_canonical(&self, address: u64) -> bool {
        let unused = 64 - self.linear_bits();
        ((address << unused) as i64 >> unused) as u64 == address
    }

    /// The linear address `offset` bytes behind the base of a system table: of 64 bits in IA-32e mode.
    pub(crate) fn system_address(&self, base: u64, offset: u64) -> u64 {
        let at = base.wrapping_add(offset);
        if self.is_long() {
            at
        } else {
            at & u64::from(u32::MAX)
        }
    }

    /// What a segment register means at present.
    pub(crate) fn segment_rules(&self, seg: Seg) -> Rules {
        if !self.cr0.contains(Cr0::PE) {
            Rules::Real
        } else if !self.is_64_bit() {
            Rules::Protected
        } else if matches!(seg, Seg::Fs | Seg::Gs) {
            Rules::Based
        } else {
            Rules::Unused
        }
    }

    /// Derives segment ranges and mode anew after CR0.PE changed.
    pub(crate) fn update_segments(&mut self) {
        for seg in Seg::ALL {
            let reg = *self.segment(seg);
            self.segments[seg as usize] = Segment::new(reg, self.segment_rules(seg));
        }
        self.update_mode();
    }

    /// Forgets translations and host pointers.
    pub(crate) fn flush_tlb(&mut self, keep_global: bool) {
        let keep_global = keep_global && self.cr4.contains(Cr4::PGE);
        self.tlb.flush(keep_global);
        self.blocks.forget_translations(keep_global);
    }

    /// The whole architectural state.
    pub(crate) fn save_state(&self) -> CpuState {
        let mut gpr = [0; GPR_COUNT];
        for (i, g) in gpr.iter_mut().enumerate() {
            *g = self.regs.whole(i as u8);
        }
        CpuState {
            gpr,
            rip: self.rip,
            rflags: self.rflags(),
            segments: self.segments.map(|s| s.reg),
            ldtr: self.ldtr,
            tr: self.tr,
            gdtr: self.gdtr,
            idtr: self.idtr,
            cr0: self.cr0,
            cr2: self.cr2,
            cr3: self.cr3,
            cr4: self.cr4,
            cr8: self.cr8,
            efer: self.efer,
            pkru: self.pkru,
            pdpte: self.pdpte,
            dr: self.dr,
            dr6: self.dr6,
            dr7: self.dr7,
            x87: self.x87.to_state(),
            simd: self.simd.to_state(),
            restored: self.restored,
            msr: MsrState {
                performance: self.performance(),
                ..self.msr
            },
            activity: self.activity,
            sti_shadow: self.sti_shadow,
            mov_ss_shadow: self.mov_ss_shadow,
            nmi_blocked: self.nmi_blocked,
            nmi_pending: self.nmi_pending,
            smm: self.smm,
            pending_debug: self.pending_debug,
            repeating: self.attached.repeating,
            random: self.random,
            monitor: self.monitor,
            prefetch: self.prefetched(),
            retired: self.retired,
        }
    }

    /// Replaces the whole architectural state.
    pub(crate) fn load_state(&mut self, s: &CpuState) {
        let long = self.model.has_long_mode();
        self.counting = false;
        for (i, &g) in s.gpr.iter().enumerate() {
            let g = match (long, i) {
                (true, _) => g,
                (false, 0..8) => g & u64::from(u32::MAX),
                (false, _) => 0,
            };
            self.regs.set::<u64>(i as u8, g);
        }
        self.ldtr = s.ldtr;
        self.tr = s.tr;
        self.gdtr = s.gdtr;
        self.idtr = s.idtr;
        self.cr0 = s.cr0;
        self.cr2 = s.cr2;
        self.cr3 = s.cr3;
        self.cr4 = s.cr4;
        self.cr8 = s.cr8 & 0xF;
        self.pkru = s.pkru;
        // IA-32e mode is active exactly if it is enabled and there is paging of its kind.
        self.efer = (s.efer & Efer::from_bits_retain(self.model.efer)) - Efer::LMA;
        let paging = s.cr0.contains(Cr0::PE | Cr0::PG) && s.cr4.contains(Cr4::PAE);
        if self.efer.contains(Efer::LME) && paging {
            self.efer.insert(Efer::LMA);
        }
        self.pdpte = s.pdpte;
        self.dr = s.dr;
        self.dr6 = s.dr6;
        self.dr7 = s.dr7;
        self.x87 = Fpu::from_state(self.model.fpu, &s.x87).of_amd(self.model.is_amd());
        self.simd = Simd::from_state(&s.simd);
        self.settle_simd();
        self.restored = s.restored;
        self.ferr = self.x87.exception_pending() && !s.cr0.contains(Cr0::NE);
        self.msr = s.msr;
        self.activity = s.activity;
        self.sti_shadow = s.sti_shadow;
        self.mov_ss_shadow = s.mov_ss_shadow;
        self.nmi_blocked = s.nmi_blocked;
        self.nmi_pending = s.nmi_pending;
        if self.smm.active != s.smm.active {
            self.physical.forget_pages();
        }
        self.smm = s.smm;
        self.pending_debug = s.pending_debug;
        self.attached.repeating = s.repeating;
        self.random = s.random;
        self.monitor = s.monitor.map(|at| at & !u64::from(LINE_BYTES - 1));
        self.retired = s.retired;
        // The descriptors of the 80286, and the 8086's segments, end within 64 KiB.
        let longest = match self.model.processor {
            Some(_) => 0xFFFF,
            None => u32::MAX,
        };
        self.mode = 0;
        for (seg, mut reg) in Seg::ALL.into_iter().zip(s.segments) {
            reg.limit = reg.limit.min(longest);
            self.segments[seg as usize] = Segment::new(reg, self.segment_rules(seg));
        }
        let mut flags = s.rflags;
        if self.is_long() {
            flags.remove(Rflags::VM);
        }
        self.set_rflags(flags);
        self.rip = s.rip & self.linear_mask;
        self.set_prefetched(s.prefetch);
        self.counters_changed();
        self.flush_tlb(false);
    }

    /// The stack pointer as far as SS.B lets it count.
    pub(crate) fn stack_pointer(&self) -> u64 {
        self.regs.named::<u64>(Gpr::Rsp) & self.stack_mask()
    }

    /// The bits of the stack pointer that count.
    pub(crate) fn stack_mask(&self) -> u64 {
        if self.is_64_bit() {
            u64::MAX
        } else if self.mode & mode::STACK_32 != 0 {
            u64::from(u32::MAX)
        } else {
            0xFFFF
        }
    }

    /// Sets the stack pointer, as far as SS.B lets it count.
    pub(crate) fn set_stack_pointer(&mut self, sp: u64) {
        if self.is_64_bit() {
            self.regs.set_named(Gpr::Rsp, sp);
        } else if self.mode & mode::STACK_32 != 0 {
            self.regs.set_named(Gpr::Rsp, sp as u32);
        } else {
            self.regs.set_named(Gpr::Rsp, sp as u16);
        }
    }
}
