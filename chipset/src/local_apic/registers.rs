//! The registers, as loads and stores and IA32_APIC_BASE reach them.

use super::spec::{self, Errors, Family, Lvt, Reg};
use super::{LocalApicUnit, Mode, TIMER, x2apic};
use emu_core::bus::Width;
use emu_core::cap::{Mmio, MmioAddr};
use emu_core::{Cx, VirtTime};

impl LocalApicUnit {
    pub(super) fn periodic(&self) -> bool {
        self.lvt(Lvt::Timer) & spec::TIMER_PERIODIC != 0
    }

    pub(super) fn waits_for_tsc(&self) -> bool {
        self.lvt(Lvt::Timer) & spec::TIMER_TSC_DEADLINE != 0
    }

    /// Arms the timer's next zero. Nobody notices it while the entry is masked.
    pub(super) fn arm_timer(&mut self, cx: &mut Cx<'_>) {
        if self.waits_for_tsc() {
            return;
        }
        let masked = self.lvt(Lvt::Timer) & spec::LVT_MASKED != 0;
        let (clock, periodic) = (self.config.clock, self.periodic());
        match self.state.timer.next_zero(clock, cx.now(), periodic) {
            Some(at) if !masked => cx.arm(TIMER, at),
            _ => cx.disarm(TIMER),
        }
    }

    pub(super) fn read_register(&mut self, reg: Reg, now: VirtTime) -> u32 {
        let s = &self.state;
        match reg {
            Reg::Id if self.mode() == Mode::X2apic => s.id,
            Reg::Id => s.id << 24,
            Reg::Version => self.config.family.version(),
            Reg::TaskPriority => s.tpr.into(),
            Reg::ArbitrationPriority => self.apr().into(),
            Reg::ProcessorPriority => self.ppr().into(),
            Reg::LogicalDestination => s.ldr,
            Reg::DestinationFormat => s.dfr,
            Reg::SpuriousVector => s.svr,
            Reg::InService(n) => s.isr.word(n),
            Reg::TriggerMode(n) => s.tmr.word(n),
            Reg::Request(n) => s.irr.word(n),
            Reg::ErrorStatus => s.esr,
            Reg::CommandLow => s.icr as u32,
            Reg::CommandHigh => (s.icr >> 32) as u32,
            Reg::Lvt(entry) => s.lvt[entry as usize],
            Reg::InitialCount => s.timer.initial,
            Reg::CurrentCount if self.waits_for_tsc() => 0,
            Reg::CurrentCount => s.timer.current(self.config.clock, now, self.periodic()),
            Reg::DivideConfiguration => s.timer.divide,
            // Write only, or never written by anybody.
            Reg::Eoi | Reg::RemoteRead | Reg::SelfIpi => 0,
        }
    }

    pub(super) fn write_register(&mut self, reg: Reg, value: u32, cx: &mut Cx<'_>) {
        let s = &mut self.state;
        match reg {
            Reg::Id => s.id = value >> 24 & self.config.family.broadcast(),
            Reg::TaskPriority => s.tpr = value as u8,
            Reg::Eoi => self.eoi(cx),
            Reg::LogicalDestination => s.ldr = value & 0xFF00_0000,
            Reg::DestinationFormat => s.dfr = value | !spec::DFR_MODEL,
            Reg::SpuriousVector => self.write_svr(value, cx),
            Reg::ErrorStatus => s.esr = std::mem::take(&mut s.errors),
            Reg::CommandLow => {
                s.icr = s.icr & !0xFFFF_FFFF | u64::from(value & spec::ICR_MASK);
                self.command(cx);
            }
            Reg::CommandHigh => {
                s.icr = s.icr & 0xFFFF_FFFF | u64::from(value & 0xFF00_0000) << 32;
            }
            Reg::Lvt(entry) => self.write_lvt(entry, value, cx),
            Reg::InitialCount if !self.waits_for_tsc() => {
                self.state.timer.load(value, cx.now());
                self.arm_timer(cx);
            }
            Reg::DivideConfiguration => {
                let periodic = self.periodic();
                let (clock, now) = (self.config.clock, cx.now());
                self.state.timer.rebase(clock, now, periodic);
                self.state.timer.divide = value & spec::DIVIDE_MASK;
                self.arm_timer(cx);
            }
            // The initial count while the timer waits for the time-stamp counter; what is read only.
            _ => {}
        }
    }

    fn write_svr(&mut self, value: u32, cx: &mut Cx<'_>) {
        let mut mask = spec::VECTOR | spec::SVR_ENABLE | spec::SVR_NO_FOCUS;
        if self.config.family == Family::X2apic {
            mask |= spec::SVR_SUPPRESS_EOI;
        }
        self.state.svr = value & mask;
        if self.config.family == Family::P6 {
            // The low four bits are wired to ones.
            self.state.svr |= 0xF;
        }
        if !self.software_enabled() {
            for lvt in &mut self.state.lvt {
                *lvt |= spec::LVT_MASKED;
            }
            self.arm_timer(cx);
        }
    }

    /// The writable bits of an LVT entry.
    pub(super) fn lvt_mask(&self, entry: Lvt) -> u32 {
        let waits = entry == Lvt::Timer && self.config.tsc_deadline;
        self.config.family.lvt_mask(entry) | if waits { spec::TIMER_TSC_DEADLINE } else { 0 }
    }

    fn write_lvt(&mut self, entry: Lvt, value: u32, cx: &mut Cx<'_>) {
        let (clock, now) = (self.config.clock, cx.now());
        let (periodic, waited) = (self.periodic(), self.waits_for_tsc());
        let mut lvt = value & self.lvt_mask(entry);
        if !self.software_enabled() {
            lvt |= spec::LVT_MASKED;
        }
        if lvt & spec::LVT_LEVEL != 0 {
            lvt |= self.lvt(entry) & spec::LVT_REMOTE_IRR;
        }
        self.state.lvt[entry as usize] = lvt;
        match entry {
            Lvt::Timer => {
                if waited != self.waits_for_tsc() {
                    // A change between counting and waiting disarms (section 11.5.4.1).
                    self.state.timer.load(0, now);
                    self.state.deadline = 0;
                    cx.disarm(TIMER);
                } else {
                    self.state.timer.rebase(clock, now, periodic);
                }
                self.arm_timer(cx);
            }
            Lvt::Lint0 | Lvt::Lint1 => self.poll_levels(),
            _ => {}
        }
    }

    pub(super) fn write_base(&mut self, value: u64, cx: &mut Cx<'_>) -> bool {
        let family = self.config.family;
        let mut known = spec::BASE_BSP | spec::BASE_ENABLE | spec::BASE_ADDRESS;
        if family == Family::X2apic {
            known |= spec::BASE_X2APIC;
        }
        let (enable, x2apic) = (
            value & spec::BASE_ENABLE != 0,
            value & spec::BASE_X2APIC != 0,
        );
        // Figure 11-27: the ways between the modes.
        let possible = match self.mode() {
            Mode::Disabled => !x2apic,
            Mode::Xapic => enable || !x2apic,
            Mode::X2apic => enable == x2apic,
        };
        if value & !known != 0 || !possible {
            return false;
        }
        let before = self.mode();
        let kept = self.state.base & spec::BASE_BSP;
        self.state.base = value & !spec::BASE_BSP | kept;
        if family == Family::P6 && before == Mode::Disabled {
            self.state.base &= !spec::BASE_ENABLE;
        }
        match (before, self.mode()) {
            (Mode::Xapic | Mode::X2apic, Mode::Disabled) => {
                self.state.id = self.config.id;
                self.clear(cx);
            }
            (Mode::Xapic, Mode::X2apic) => {
                self.state.id = self.config.id;
                self.state.ldr = x2apic::logical_id(self.config.id);
                self.state.icr &= 0xFFFF_FFFF;
            }
            _ => {}
        }
        cx.request_remap();
        true
    }

    pub(super) fn write_deadline(&mut self, value: u64, at: VirtTime, cx: &mut Cx<'_>) {
        if self.waits_for_tsc() {
            self.state.deadline = value;
            if value == 0 {
                cx.disarm(TIMER);
            } else {
                cx.arm(TIMER, at.max(cx.now()));
            }
        }
    }

    /// The register at an offset of the page, in xAPIC mode.
    fn register_at(&mut self, offset: u64) -> Option<Reg> {
        let reg = Reg::at((offset / spec::STRIDE) as u8).filter(|reg| match reg {
            Reg::Lvt(entry) => self.config.family.has(*entry),
            Reg::SelfIpi => false,
            _ => true,
        });
        // Offsets beyond 3FFh have no registers; `as u8` alone would fold them back.
        let reg = reg.filter(|_| offset < 0x400);
        if reg.is_none() {
            self.error(Errors::ILLEGAL_REGISTER);
        }
        reg
    }
}

impl Mmio for LocalApicUnit {
    fn mmio_read(&mut self, at: MmioAddr, _width: Width, cx: &mut Cx<'_>) -> u64 {
        let byte = at.offset % spec::STRIDE;
        if byte >= 4 {
            return 0;
        }
        let value = match self.register_at(at.offset) {
            Some(reg) => self.read_register(reg, cx.now()),
            None => 0,
        };
        self.update(cx);
        u64::from(value >> (8 * byte))
    }

    fn mmio_write(&mut self, at: MmioAddr, width: Width, value: u64, cx: &mut Cx<'_>) {
        if !at.offset.is_multiple_of(spec::STRIDE) || width != Width::Dword {
            return;
        }
        if let Some(reg) = self.register_at(at.offset) {
            self.write_register(reg, value as u32, cx);
        }
        self.update(cx);
    }
}
