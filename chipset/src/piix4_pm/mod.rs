//! The power management function of the 82371AB (PIIX4), function 3.
//!
//! **What it is**: Intel 82371AB PCI-to-ISA / IDE Xcelerator (PIIX4), order number 290562, function 3: the ACPI
//! registers (power button, RTC alarm, global lock, timer, suspend control), the causes of SMIs, and the SMBus host
//! controller.
//!
//! **Ports**: 64 at PMBASE, 16 at SMBBA. **Wires in**: see [`pin`]. **Wires out**: SCI (IRQ 9), SMI#, the SMBus's
//! interrupt (IRQ 9). **Host input**: the power button.
//!
//! **Not implemented**
//! - Suspend states other than soft off: SUS_EN then has no effect. Clock control (PCNTRL, PLVL2, PLVL3: reads give 0
//!   and do not stop the clock), idle and standby timers, device monitors and traps (DEVACTx, DEVRESx, DEVCTL keep
//!   what is written; DEVSTS stays 0), EXTSMI#, legacy USB.
//! - SMBus slaves: each address ends with DEV_ERR, as on a bus where nobody answers; the slave interface sees nothing.
//! - General-purpose inputs read 0; outputs lead nowhere. A power button that is held for four seconds.
//!
//! **Known inaccuracies**
//! - SMI# is a pulse for each cause instead of being held until EOS is written: EOS keeps what is written.
//! - BM_STS is never set: the function does not see other masters.

pub mod smbus;
pub mod spec;
#[cfg(test)]
mod tests;

use crate::pci::{Command, ConfigRegisters, ConfigSpace, Status};
use emu_core::bus::Decode;
use emu_core::cap::{HostInput, Inputs, PciFunction, PortAddr, PortIo, Timers};
use emu_core::cx::{Cx, ResetKind};
use emu_core::event::TimerId;
use emu_core::host::HostEvent;
use emu_core::snapshot::Snapshot;
use emu_core::wire::Pin;
use emu_core::{Device, Line, VirtTime, Width};
use serde::{Deserialize, Serialize};
use smbus::{Effect, Smbus};
use spec::{GlobalStatus, PmControl, PmEvents, SmbusInterrupt, pm};

/// The function's input pins.
pub mod pin {
    use emu_core::wire::Pin;
    /// The RTC's interrupt.
    pub const RTC: Pin = 0;
    /// A pulse for each write to APMC.
    pub const APMC: Pin = 1;
    /// THRM#, seen positively.
    pub const THERMAL: Pin = 2;
    /// The USB function's resume signal.
    pub const USB: Pin = 3;
    /// GPI1#, seen positively.
    pub const GENERAL_PURPOSE: Pin = 4;
    /// RI#, seen positively.
    pub const RING: Pin = 5;
    /// LID.
    pub const LID: Pin = 6;
}

const PM: u16 = 0;
const SMBUS: u16 = 1;
const TIMER_OVERFLOW: TimerId = 0;
const SMBUS_END: TimerId = 1;

/// Where the function's outputs lead.
#[derive(Clone, Debug)]
pub struct Wiring {
    /// System control interrupt.
    pub sci: Line,
    /// SMI# to the CPU.
    pub smi: Line,
    /// The SMBus controller's interrupt.
    pub smbus: Line,
}

/// What a guest can change.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    config: ConfigRegisters,
    /// PMSTS without TMROF_STS, which follows from the time.
    status: u16,
    enable: u16,
    control: u16,
    timer_epoch: VirtTime,
    /// Changes of the timer's highest bit that have been seen: TMROF_STS is set when there were more.
    timer_seen: u64,
    gp_status: u16,
    gp_enable: u16,
    processor: u32,
    global_status: u16,
    global_enable: u16,
    global_control: u32,
    device_control: u32,
    gp_outputs: u32,
    /// Whether a PM1 or general-purpose event was pending: its beginning is the SMI's edge.
    event_pending: bool,
    smbus: Smbus,
    smbus_pending: bool,
}

impl Snapshot for State {
    const VERSION: u16 = 1;
}

impl State {
    fn new(config: ConfigRegisters, global_control: u32, now: VirtTime) -> Self {
        Self {
            config,
            status: 0,
            enable: 0,
            control: 0,
            timer_epoch: now,
            timer_seen: 0,
            gp_status: 0,
            gp_enable: 0,
            processor: 0,
            global_status: 0,
            global_enable: 0,
            global_control,
            device_control: 0,
            gp_outputs: spec::GP_OUTPUTS_RESET,
            event_pending: false,
            smbus: Smbus::default(),
            smbus_pending: false,
        }
    }

    fn ticks(&self, now: VirtTime) -> u64 {
        spec::TIMER_HZ.ticks_at(self.timer_epoch, now)
    }

    fn pm_status(&self, now: VirtTime) -> PmEvents {
        let mut status = PmEvents::from_bits_truncate(self.status);
        let changed = self.ticks(now) / spec::TIMER_HALF > self.timer_seen;
        status.set(PmEvents::TIMER, changed);
        status
    }

    fn global_status(&self, now: VirtTime) -> GlobalStatus {
        let mut status = GlobalStatus::from_bits_truncate(self.global_status);
        let pm1 = self.pm_status(now).bits() & self.enable != 0;
        status.set(GlobalStatus::PM1, pm1);
        let gp = self.gp_status & self.gp_enable != 0;
        status.set(GlobalStatus::GENERAL_PURPOSE, gp);
        status
    }

    fn apmc_enabled(&self) -> bool {
        self.config.u32(spec::DEVACTB) & spec::APMC_EN != 0
    }
}

/// The power management function.
#[derive(Debug)]
pub struct Piix4Pm {
    wiring: Wiring,
    space: ConfigSpace,
    /// GLBCTL after reset.
    global_control: u32,
    state: State,
}

impl Piix4Pm {
    /// A function wired so.
    pub fn new(wiring: Wiring) -> Self {
        let space = ConfigSpace::new(spec::VENDOR, spec::DEVICE)
            .class(0x06, 0x80, 0x00)
            .command(Command::IO_SPACE)
            .status(Status::FAST_BACK_TO_BACK | Status::DEVSEL_MEDIUM)
            .interrupt_pin(1)
            .value(spec::PMBASE, &[0x01])
            .writable(spec::PMBASE, &spec::PMBASE_MASK.to_le_bytes())
            .writable(spec::CNTA, &[0xFF; 12])
            .writable(spec::DEVRESD, &[0xFF; 48])
            .writable(spec::PMREGMISC, &[spec::PMIOSE])
            .value(spec::SMBBA, &[0x01])
            .writable(spec::SMBBA, &spec::SMBBA_MASK.to_le_bytes())
            .writable(spec::SMBHSTCFG, &[0x0F])
            .writable(spec::SMBSLVC, &[0xFF; 3]);
        Self {
            wiring,
            global_control: 0,
            state: State::new(space.reset_values(), 0, VirtTime::ZERO),
            space,
        }
    }

    /// The same function with APMC_EN set from reset on. Firmware (SeaBIOS) then takes SMM as set up already and leaves
    /// it alone: for CPUs without system management mode.
    #[must_use]
    pub fn with_smm_claimed(mut self) -> Self {
        let preset = spec::APMC_EN.to_le_bytes();
        self.space = self.space.value(spec::DEVACTB, &preset);
        self.state.config = self.space.reset_values();
        self
    }

    /// The same function with SMI_EN set from reset on, where the data sheet has it clear. Firmware that was written for
    /// emulators (Bochs' BIOS) enables APMC and takes SMI# as enabled.
    #[must_use]
    pub fn with_smi_enabled(mut self) -> Self {
        self.global_control = spec::SMI_EN;
        self.state.global_control = spec::SMI_EN;
        self
    }

    /// The I/O spaces: (first port, length) of power management and SMBus, where they are open.
    fn spaces(&self) -> [Option<u16>; 2] {
        let c = &self.state.config;
        let base = |register, mask: u32| (c.u32(register) & mask) as u16;
        let smbus_open = c.command().contains(Command::IO_SPACE)
            && c.u8(spec::SMBHSTCFG) & spec::SMB_HST_EN != 0;
        [
            (c.u8(spec::PMREGMISC) & spec::PMIOSE != 0)
                .then(|| base(spec::PMBASE, spec::PMBASE_MASK)),
            smbus_open.then(|| base(spec::SMBBA, spec::SMBBA_MASK)),
        ]
    }

    fn smi(&self, cx: &mut Cx<'_>) {
        if self.state.global_control & spec::SMI_EN != 0 {
            cx.set_line(self.wiring.smi, true);
            cx.set_line(self.wiring.smi, false);
        }
    }

    /// Brings the outputs and the timer in line with the registers.
    fn update(&mut self, cx: &mut Cx<'_>) {
        let now = cx.now();
        let causes = GlobalStatus::PM1 | GlobalStatus::GENERAL_PURPOSE;
        let pending = self.state.global_status(now).intersects(causes);
        let sci_enabled = self.state.control & PmControl::SCI.bits() != 0;
        cx.set_line(self.wiring.sci, pending && sci_enabled);
        if pending && !self.state.event_pending && !sci_enabled {
            self.smi(cx);
        }
        self.state.event_pending = pending;
        let timer = PmEvents::TIMER.bits();
        let waits =
            self.state.enable & timer != 0 && !self.state.pm_status(now).contains(PmEvents::TIMER);
        if waits {
            let change = (self.state.timer_seen + 1).saturating_mul(spec::TIMER_HALF);
            let at = spec::TIMER_HZ.time_of(self.state.timer_epoch, change);
            cx.arm(TIMER_OVERFLOW, at);
        } else {
            cx.disarm(TIMER_OVERFLOW);
        }
        let smbus = self.state.smbus.interrupt();
        let route = spec::smbus_interrupt(self.state.config.u8(spec::SMBHSTCFG));
        cx.set_line(self.wiring.smbus, smbus && route == SmbusInterrupt::Irq9);
        if smbus && !self.state.smbus_pending && route == SmbusInterrupt::Smi {
            self.smi(cx);
        }
        self.state.smbus_pending = smbus;
    }

    fn read_pm(&self, offset: u8, now: VirtTime) -> u8 {
        let s = &self.state;
        let in_word = |v: u16| (v >> (8 * (offset & 1))) as u8;
        let in_dword = |v: u32| (v >> (8 * (offset & 3))) as u8;
        match offset & !1 {
            pm::STATUS => in_word(s.pm_status(now).bits()),
            pm::ENABLE => in_word(s.enable),
            pm::CONTROL => in_word(s.control),
            pm::GP_STATUS => in_word(s.gp_status),
            pm::GP_ENABLE => in_word(s.gp_enable),
            pm::GLOBAL_STATUS => in_word(s.global_status(now).bits()),
            pm::GLOBAL_ENABLE => in_word(s.global_enable),
            _ => match offset & !3 {
                pm::TIMER => in_dword(s.ticks(now) as u32 & spec::TIMER_MASK),
                pm::PROCESSOR => in_dword(s.processor),
                pm::GLOBAL_CONTROL => in_dword(s.global_control),
                pm::DEVICE_CONTROL => in_dword(s.device_control),
                pm::GP_OUTPUTS => in_dword(s.gp_outputs),
                // PLVL2, PLVL3, DEVSTS, GPIREG; reserved.
                _ => 0,
            },
        }
    }

    fn write_pm(&mut self, offset: u8, value: u8, cx: &mut Cx<'_>) {
        let now = cx.now();
        let s = &mut self.state;
        let shift = 8 * u32::from(offset & 1);
        let (value16, lane16) = (u16::from(value) << shift, 0xFF << shift);
        let store16 = |old: u16, mask: u16| (old & !(lane16 & mask)) | (value16 & mask);
        let shift = 8 * u32::from(offset & 3);
        let (value32, lane32) = (u32::from(value) << shift, 0xFF << shift);
        let store32 = |old: u32, mask: u32| (old & !(lane32 & mask)) | (value32 & mask);
        match offset & !1 {
            pm::STATUS => {
                s.status &= !value16;
                if value16 & PmEvents::TIMER.bits() != 0 {
                    s.timer_seen = s.ticks(now) / spec::TIMER_HALF;
                }
            }
            pm::ENABLE => s.enable = store16(s.enable, spec::PM_ENABLE_MASK),
            pm::CONTROL => {
                s.control = store16(s.control, spec::PM_CONTROL_MASK);
                if value16 & PmControl::GLOBAL_RELEASE.bits() != 0 {
                    s.global_status |= GlobalStatus::BIOS.bits();
                    if s.global_enable & spec::BIOS_EN != 0 {
                        self.smi(cx);
                    }
                }
                let suspends = value16 & PmControl::SUSPEND.bits() != 0;
                let kind = spec::suspend_type(self.state.control);
                if suspends && kind == spec::SUSPEND_SOFT_OFF {
                    cx.power_off();
                }
            }
            pm::GP_STATUS => s.gp_status &= !value16,
            pm::GP_ENABLE => s.gp_enable = store16(s.gp_enable, spec::GP_MASK),
            pm::GLOBAL_STATUS => s.global_status &= !(value16 & spec::GLOBAL_STATUS_CLEAR),
            pm::GLOBAL_ENABLE => {
                s.global_enable = store16(s.global_enable, spec::GLOBAL_ENABLE_MASK);
            }
            _ => match offset & !3 {
                pm::PROCESSOR => s.processor = store32(s.processor, spec::PROCESSOR_MASK),
                pm::GLOBAL_CONTROL => {
                    s.global_control = store32(s.global_control, spec::GLOBAL_CONTROL_MASK);
                    if value32 & spec::BIOS_RLS != 0 {
                        s.status |= PmEvents::GLOBAL.bits();
                    }
                }
                pm::DEVICE_CONTROL => {
                    s.device_control = store32(s.device_control, spec::DEVICE_CONTROL_MASK);
                }
                pm::GP_OUTPUTS => s.gp_outputs = store32(s.gp_outputs, spec::GP_OUTPUTS_MASK),
                _ => {}
            },
        }
    }

    fn write_smbus(&mut self, offset: u8, value: u8, cx: &mut Cx<'_>) {
        match self.state.smbus.write(offset, value) {
            Effect::None => {}
            Effect::Begun => {
                cx.arm(SMBUS_END, cx.now().plus_ns(spec::smbus::ADDRESS_NS));
            }
            // A killed transaction does not end a second time.
            Effect::Status if !self.state.smbus.busy() => cx.disarm(SMBUS_END),
            Effect::Status => {}
        }
    }
}

impl Device for Piix4Pm {
    const KIND: &'static str = "piix4_pm";
    type State = State;

    fn state(&self) -> &State {
        &self.state
    }
    fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }

    fn reset(&mut self, kind: ResetKind, cx: &mut Cx<'_>) {
        if kind == ResetKind::Init {
            return;
        }
        let config = self.space.reset_values();
        self.state = State::new(config, self.global_control, cx.now());
        cx.disarm(SMBUS_END);
        self.update(cx);
        cx.request_remap();
    }

    fn decode(&self, decode: &mut Decode) {
        let [pm, smbus] = self.spaces();
        if let Some(base) = pm {
            decode.ports(PM, base, spec::PM_BYTES, Width::Dword);
        }
        if let Some(base) = smbus {
            decode.ports(SMBUS, base, spec::SMBUS_BYTES, Width::Byte);
        }
    }

    fn port_io(&mut self) -> Option<&mut dyn PortIo> {
        Some(self)
    }
    fn pci(&mut self) -> Option<&mut dyn PciFunction> {
        Some(self)
    }
    fn timers(&mut self) -> Option<&mut dyn Timers> {
        Some(self)
    }
    fn inputs(&mut self) -> Option<&mut dyn Inputs> {
        Some(self)
    }
    fn host_input(&mut self) -> Option<&mut dyn HostInput> {
        Some(self)
    }
}

impl PortIo for Piix4Pm {
    fn port_read(&mut self, at: PortAddr, width: Width, cx: &mut Cx<'_>) -> u32 {
        let offset = at.offset as u8;
        if at.region == SMBUS {
            return self.state.smbus.read(offset).into();
        }
        (0..width.bytes().min(4) as u8).fold(0, |v, i| {
            v | u32::from(self.read_pm(offset.wrapping_add(i), cx.now())) << (8 * i)
        })
    }

    fn port_write(&mut self, at: PortAddr, width: Width, value: u32, cx: &mut Cx<'_>) {
        let offset = at.offset as u8;
        if at.region == SMBUS {
            self.write_smbus(offset, value as u8, cx);
        } else {
            for i in 0..width.bytes().min(4) as u8 {
                self.write_pm(offset.wrapping_add(i), (value >> (8 * i)) as u8, cx);
            }
        }
        self.update(cx);
    }
}

impl PciFunction for Piix4Pm {
    fn config_read(&mut self, offset: u8, width: Width, _cx: &mut Cx<'_>) -> u32 {
        self.space.read(&self.state.config, offset, width)
    }

    fn config_write(&mut self, offset: u8, width: Width, value: u32, cx: &mut Cx<'_>) {
        let spaces = self.spaces();
        let _no_windows = self
            .space
            .write(&mut self.state.config, offset, width, value);
        if self.spaces() != spaces {
            cx.request_remap();
        }
        self.update(cx);
    }
}

impl Timers for Piix4Pm {
    fn expired(&mut self, timer: TimerId, cx: &mut Cx<'_>) {
        if timer == SMBUS_END {
            self.state.smbus.not_acknowledged();
        }
        self.update(cx);
    }
}

impl Inputs for Piix4Pm {
    fn input(&mut self, pin: Pin, high: bool, cx: &mut Cx<'_>) {
        if !high {
            return;
        }
        match pin {
            pin::RTC => self.state.status |= PmEvents::RTC.bits(),
            pin::APMC if self.state.apmc_enabled() => {
                self.state.global_status |= GlobalStatus::APM.bits();
                self.smi(cx);
            }
            pin::THERMAL => self.state.gp_status |= 1 << 0,
            pin::USB => self.state.gp_status |= 1 << 8,
            pin::GENERAL_PURPOSE => self.state.gp_status |= 1 << 9,
            pin::RING => self.state.gp_status |= 1 << 10,
            pin::LID => self.state.gp_status |= 1 << 11,
            _ => {}
        }
        self.update(cx);
    }
}

impl HostInput for Piix4Pm {
    fn host_input(&mut self, event: HostEvent, cx: &mut Cx<'_>) {
        if matches!(event, HostEvent::PowerButton) {
            self.state.status |= PmEvents::POWER_BUTTON.bits();
            self.update(cx);
        }
    }
}
