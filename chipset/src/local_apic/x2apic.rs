//! x2APIC mode: the registers as MSRs (SDM volume 3, section 11.12). Reserved bits fault, and so do registers that can
//! only be read or only be written.

use super::spec::{self, Errors, Lvt, Reg};
use super::{LocalApicUnit, Mode};
use emu_core::backend::LapicRegister;
use emu_core::{Cx, VirtTime};

/// The logical ID that follows from an ID (section 11.12.10.2): cluster, and a bit for the place in it.
pub fn logical_id(id: u32) -> u32 {
    (id >> 4) << 16 | 1 << (id & 0xF)
}

impl LocalApicUnit {
    fn x2apic_register(&self, register: LapicRegister) -> Option<Reg> {
        let reg = spec::x2apic_register(register)?;
        let there = match reg {
            Reg::Lvt(entry) => self.config.family.has(entry),
            _ => true,
        };
        (self.mode() == Mode::X2apic && there).then_some(reg)
    }

    pub(super) fn read_x2apic(&mut self, register: LapicRegister, now: VirtTime) -> Option<u64> {
        match self.x2apic_register(register)? {
            Reg::Eoi | Reg::SelfIpi => None,
            Reg::CommandLow => Some(self.state.icr),
            reg => Some(self.read_register(reg, now).into()),
        }
    }

    pub(super) fn write_x2apic(
        &mut self,
        register: LapicRegister,
        value: u64,
        cx: &mut Cx<'_>,
    ) -> bool {
        let Some(reg) = self.x2apic_register(register) else {
            return false;
        };
        let writable = match reg {
            Reg::TaskPriority | Reg::SelfIpi => u64::from(spec::VECTOR),
            Reg::SpuriousVector => u64::from(
                spec::VECTOR | spec::SVR_ENABLE | spec::SVR_NO_FOCUS | spec::SVR_SUPPRESS_EOI,
            ),
            Reg::CommandLow => u64::from(u32::MAX) << 32 | u64::from(spec::ICR_MASK),
            Reg::Lvt(entry) => {
                // What is read only may be written back.
                let read_only = match entry {
                    Lvt::Lint0 | Lvt::Lint1 => spec::DELIVERY_STATUS | spec::LVT_REMOTE_IRR,
                    _ => spec::DELIVERY_STATUS,
                };
                u64::from(self.lvt_mask(entry) | read_only)
            }
            Reg::InitialCount => u64::from(u32::MAX),
            Reg::DivideConfiguration => u64::from(spec::DIVIDE_MASK),
            Reg::Eoi | Reg::ErrorStatus => 0,
            _ => return false,
        };
        if value & !writable != 0 {
            return false;
        }
        match reg {
            Reg::CommandLow => {
                self.state.icr = value;
                self.command(cx);
            }
            Reg::SelfIpi => {
                if (value as u8) < spec::FIRST_VECTOR {
                    self.error(Errors::SEND_ILLEGAL_VECTOR);
                } else {
                    self.accept(value as u8, false);
                }
            }
            _ => self.write_register(reg, value as u32, cx),
        }
        true
    }
}
