//! The interpreter's state: the architectural registers, what is derived from them, and its caches.

use crate::alu::Flags;
use crate::block::BlockCache;
use crate::decode::prefetch::Queue;
use crate::fault::Fault;
use crate::mem::paging::PhysicalPages;
use crate::mem::segment::Segment;
use crate::mem::tlb::{Privilege, Tlb};
use crate::models::CpuModel;
use crate::op::Stop;
use crate::registers::Registers;
use crate::run::Attached;
use crate::x87::Fpu;
use emu_core::backend::{BackendStats, CpuId, Kick};
use emu_core::x86::{
    Activity, CpuState, Cr0, Cr4, DescriptorTable, Gpr, MsrState, Prefetch, Rflags, Seg,
    SegmentAttributes, SegmentRegister,
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
    pub(crate) pdpte: [u64; 4],
    pub(crate) dr: [u64; 4],
    pub(crate) dr6: u64,
    pub(crate) dr7: u64,
    pub(crate) x87: Fpu,
    /// FERR# is asserted.
    pub(crate) ferr: bool,
    pub(crate) msr: MsrState,
    pub(crate) activity: Activity,
    pub(crate) sti_shadow: bool,
    pub(crate) mov_ss_shadow: bool,
    pub(crate) nmi_blocked: bool,
    pub(crate) nmi_pending: bool,
    pub(crate) pending_debug: u64,
    pub(crate) prefetch: Prefetch,
    /// What happens to the prefetch queue at present.
    pub(crate) queue: Queue,
    pub(crate) retired: u64,

    /// Bits of [`mode`], derived.
    pub(crate) mode: u32,
    /// Current privilege level, derived.
    pub(crate) cpl: u8,
    /// VIF and VIP are both set where they count: the next instruction faults; derived.
    pub(crate) virtual_interrupt_due: bool,
    /// Which TLB tables data accesses use, derived.
    pub(crate) privilege: Privilege,
    /// The fault that [`Stop::Fault`] speaks of.
    pub(crate) fault: Fault,
    /// The block must be left after this instruction: code was overwritten, or a device was touched.
    pub(crate) leave_block: bool,
    /// `attention` must be read before the next block.
    pub(crate) poll: bool,
    /// A large page was translated since the TLB was last empty.
    pub(crate) large_pages: bool,
    /// A probe watches loads and stores.
    pub(crate) watch_memory: bool,
    /// Exceptions and interrupts delivered so far.
    pub(crate) deliveries: u64,

    pub(crate) tlb: Tlb,
    pub(crate) physical: PhysicalPages,
    pub(crate) blocks: BlockCache,
    pub(crate) attached: Attached,
    pub(crate) kick: Kick,
    pub(crate) stats: BackendStats,
    /// Whether decoded blocks are kept; without, each instruction is decoded when it is executed.
    pub(crate) cache_blocks: bool,
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
            pdpte: [0; 4],
            dr: [0; 4],
            dr6: 0,
            dr7: 0,
            x87: Fpu::new(model.fpu),
            ferr: false,
            msr: MsrState::default(),
            activity: Activity::Running,
            sti_shadow: false,
            mov_ss_shadow: false,
            nmi_blocked: false,
            nmi_pending: false,
            pending_debug: 0,
            prefetch: Prefetch::default(),
            queue: Queue::default(),
            retired: 0,
            mode: 0,
            cpl: 0,
            virtual_interrupt_due: false,
            privilege: Privilege::Supervisor,
            fault: Fault::UD,
            leave_block: false,
            poll: false,
            large_pages: false,
            watch_memory: false,
            deliveries: 0,
            tlb: Tlb::default(),
            physical: PhysicalPages::default(),
            blocks: BlockCache::default(),
            attached: Attached::default(),
            kick: Kick::default(),
            stats: BackendStats::default(),
            cache_blocks: true,
        };
        cpu.reset(false);
        cpu
    }

    /// Switches the block cache off or on. Off is for tests: the run is the same, only slower.
    pub fn set_block_cache(&mut self, on: bool) {
        self.cache_blocks = on;
    }

    /// The model.
    pub fn model(&self) -> &'static CpuModel {
        self.model
    }

    /// The reset state (SDM vol. 3, table 10-1); with `init`, what INIT leaves alone stays: x87, MSRs, CR0.CD and NW.
    pub(crate) fn reset(&mut self, init: bool) {
        let mut state = self.model.reset_state();
        if init {
            state.x87 = self.x87.to_state();
            state.msr = self.msr;
            let kept = Cr0::CD | Cr0::NW;
            state.cr0 = (state.cr0 - kept) | (self.cr0 & kept);
        }
        state.retired = self.retired;
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
        self.flags = Flags::explicit((flags & Rflags::ARITHMETIC).bits());
        self.rflags = (flags - Rflags::ARITHMETIC) | Rflags::ONE;
        self.update_mode();
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
        self.segments[seg as usize] = Segment::new(reg, !self.cr0.contains(Cr0::PE));
        self.update_mode();
    }

    /// Derives everything that depends on CR0, flags and segment registers.
    pub(crate) fn update_mode(&mut self) {
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
        let big = |seg: Seg| {
            self.segment(seg)
                .attributes
                .contains(SegmentAttributes::BIG)
        };
        if big(Seg::Cs) {
            mode |= mode::CODE_32;
        }
        if big(Seg::Ss) {
            mode |= mode::STACK_32;
        }
        if [Seg::Ds, Seg::Es, Seg::Ss]
            .iter()
            .all(|&s| self.segments[s as usize].is_flat_data())
        {
            mode |= mode::FLAT;
        }
        if self.cpl == 3 {
            mode |= mode::USER;
        }
        self.privilege = if self.watch_memory {
            Privilege::Uncached
        } else {
            self.unwatched_privilege()
        };
        if self.prefetch.len != 0 {
            mode |= mode::PREFETCHED;
        }
        self.mode = mode;
    }

    /// Derives segment ranges and mode anew after CR0.PE changed.
    pub(crate) fn update_segments(&mut self) {
        let real = !self.cr0.contains(Cr0::PE);
        for s in &mut self.segments {
            *s = Segment::new(s.reg, real);
        }
        self.update_mode();
    }

    /// Forgets translations and host pointers.
    pub(crate) fn flush_tlb(&mut self, keep_global: bool) {
        let keep_global = keep_global && self.cr4.contains(Cr4::PGE);
        self.large_pages &= keep_global;
        self.tlb.flush(keep_global);
        self.blocks.forget_translations();
    }

    /// The whole architectural state.
    pub(crate) fn save_state(&self) -> CpuState {
        let mut gpr = [0; 8];
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
            pdpte: self.pdpte,
            dr: self.dr,
            dr6: self.dr6,
            dr7: self.dr7,
            x87: self.x87.to_state(),
            msr: self.msr,
            activity: self.activity,
            sti_shadow: self.sti_shadow,
            mov_ss_shadow: self.mov_ss_shadow,
            nmi_blocked: self.nmi_blocked,
            nmi_pending: self.nmi_pending,
            pending_debug: self.pending_debug,
            repeating: self.attached.repeating,
            prefetch: self.prefetched(),
            retired: self.retired,
        }
    }

    /// Replaces the whole architectural state.
    pub(crate) fn load_state(&mut self, s: &CpuState) {
        for (i, &g) in s.gpr.iter().enumerate() {
            self.regs.set::<u32>(i as u8, g as u32);
        }
        self.rip = s.rip & u64::from(u32::MAX);
        self.ldtr = s.ldtr;
        self.tr = s.tr;
        self.gdtr = s.gdtr;
        self.idtr = s.idtr;
        self.cr0 = s.cr0;
        self.cr2 = s.cr2;
        self.cr3 = s.cr3;
        self.cr4 = s.cr4;
        self.pdpte = s.pdpte;
        self.dr = s.dr;
        self.dr6 = s.dr6;
        self.dr7 = s.dr7;
        self.x87 = Fpu::from_state(self.model.fpu, &s.x87);
        self.ferr = self.x87.exception_pending() && !s.cr0.contains(Cr0::NE);
        self.msr = s.msr;
        self.activity = s.activity;
        self.sti_shadow = s.sti_shadow;
        self.mov_ss_shadow = s.mov_ss_shadow;
        self.nmi_blocked = s.nmi_blocked;
        self.nmi_pending = s.nmi_pending;
        self.pending_debug = s.pending_debug;
        self.attached.repeating = s.repeating;
        self.set_prefetched(s.prefetch);
        self.retired = s.retired;
        let real = !s.cr0.contains(Cr0::PE);
        // The descriptors of the 80286, and the 8086's segments, end within 64 KiB.
        let longest = match self.model.processor {
            Some(_) => 0xFFFF,
            None => u32::MAX,
        };
        self.segments = s.segments.map(|mut r| {
            r.limit = r.limit.min(longest);
            Segment::new(r, real)
        });
        self.set_rflags(s.rflags);
        self.flush_tlb(false);
    }

    /// The stack pointer as far as SS.B lets it count.
    pub(crate) fn stack_pointer(&self) -> u64 {
        self.regs.named::<u32>(Gpr::Rsp) as u64 & self.stack_mask()
    }

    /// The bits of the stack pointer that count.
    pub(crate) fn stack_mask(&self) -> u64 {
        if self.mode & mode::STACK_32 != 0 {
            u64::from(u32::MAX)
        } else {
            0xFFFF
        }
    }

    /// Sets the stack pointer, as far as SS.B lets it count.
    pub(crate) fn set_stack_pointer(&mut self, sp: u64) {
        if self.mode & mode::STACK_32 != 0 {
            self.regs.set_named(Gpr::Rsp, sp as u32);
        } else {
            self.regs.set_named(Gpr::Rsp, sp as u16);
        }
    }
}
