//! Between APICs: who gets what one of them sends; and what a CPU asks of its own.

use crate::board::Board;
use emu_core::backend::{CpuId, LapicRegister};
use emu_core::cap::{ApicCycle, ApicDelivery, ApicDestination, ApicMessage};
use emu_core::device::DeviceId;
use emu_core::time::VirtTime;

impl Board {
    /// Delivers what an APIC has sent.
    pub(crate) fn apic_cycle(&mut self, sender: DeviceId, cycle: ApicCycle) {
        match cycle {
            ApicCycle::Interrupt(message) => {
                let accepted = self.apic_message(sender, &message);
                self.call(sender, |d, cx| {
                    if let Some(a) = d.apic_agent() {
                        a.sent(message.tag, accepted, cx);
                    }
                });
            }
            ApicCycle::EndOfInterrupt(vector) => {
                for i in 0..self.roles.apics.len() {
                    let id = self.roles.apics[i];
                    self.call(id, |d, cx| {
                        if let Some(a) = d.apic_agent() {
                            a.end_of_interrupt(vector, cx);
                        }
                    });
                }
            }
        }
    }

    /// Gives a message to those that it is for; whether anybody took it.
    fn apic_message(&mut self, sender: DeviceId, message: &ApicMessage) -> bool {
        let mut takers: Vec<(u8, DeviceId)> = Vec::new();
        for i in 0..self.roles.apics.len() {
            let id = self.roles.apics[i];
            if id == sender && message.destination == ApicDestination::Others {
                continue;
            }
            let rank = self.call(id, |d, _| d.apic_agent().and_then(|a| a.rank(message)));
            if let Some(Some(rank)) = rank {
                takers.push((rank, id));
            }
        }
        if message.delivery == ApicDelivery::LowestPriority {
            // Of equals the first: real parts take turns.
            let least = takers.iter().copied().min_by_key(|t| t.0);
            takers = least.into_iter().collect();
        }
        let mut accepted = false;
        for (_, id) in takers {
            let taken = self.call(id, |d, cx| {
                d.apic_agent().is_some_and(|a| a.receive(message, cx))
            });
            accepted |= taken == Some(true);
        }
        accepted
    }

    pub(crate) fn read_local_apic(&mut self, cpu: CpuId, register: LapicRegister) -> Option<u64> {
        let id = *self.roles.local_apics.get(usize::from(cpu.0))?;
        self.call(id, |d, cx| {
            d.local_apic().and_then(|l| l.read(register, cx))
        })?
    }

    pub(crate) fn write_local_apic(
        &mut self,
        cpu: CpuId,
        register: LapicRegister,
        value: u64,
    ) -> bool {
        let Some(&id) = self.roles.local_apics.get(usize::from(cpu.0)) else {
            return false;
        };
        let deadline = match register {
            LapicRegister::TscDeadline => self.clock.time_of_cycle(value),
            _ => VirtTime::ZERO,
        };
        let done = self.call(id, |d, cx| {
            d.local_apic()
                .is_some_and(|l| l.write(register, value, deadline, cx))
        });
        self.settle();
        done == Some(true)
    }
}
