//! What makes the interpreter fast, to be switched off part by part by tests and measurements.

use crate::interpreter::{Interpreter, mode};

/// What the interpreter does for speed alone: with or without each of these the run is the same, state for state.
///
/// A part is looked up when a block is decoded or found, never by the handler of an instruction. What is not decided then
/// is not here: the repetitions of a string instruction that are done at once, and the TLB. A probe that watches all of
/// memory goes without those.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Tuning {
    /// Decoded blocks are kept. Without, each instruction is decoded when it is executed, and none of the rest counts.
    pub keeps_blocks: bool,
    /// A block has as many instructions as follow one another. Without, each is a block by itself, and the run loop comes
    /// behind it.
    pub long_blocks: bool,
    /// A block leads to the next one: by links and the table of linear addresses, or on from where it was left. Without,
    /// the run loop comes behind each, and behind each access to a device.
    pub links_blocks: bool,
    /// Instructions have lean handlers that give up where something is out of the ordinary, and shortcuts for SSE and x87; a
    /// comparison executes the jump behind it too, a MOV what is done with the copy, and one plain instruction the next;
    /// flags that nobody sees are left out; immediates that are overwritten are read anew. Without, all but near branches,
    /// whose handlers are what leads on, have the handler that does everything, and what is overwritten is decoded anew.
    pub shortens: bool,
}

impl Tuning {
    /// As fast as can be: what a CPU does that nobody says otherwise.
    pub const FAST: Self = Self {
        keeps_blocks: true,
        long_blocks: true,
        links_blocks: true,
        shortens: true,
    };

    /// What the keys of blocks have besides the mode: blocks that are found under such a key are found by the run loop alone.
    fn apart(self) -> u32 {
        match (self.long_blocks, self.links_blocks) {
            (false, _) => mode::SINGLE,
            (true, false) => mode::APART,
            (true, true) => 0,
        }
    }
}

impl Interpreter {
    /// Chooses what is done for speed; between slices only. For tests and measurements: the run is the same, only slower. If
    /// anything changes, what was decoded is dropped.
    pub fn tune(&mut self, tuning: Tuning) {
        if tuning == self.tuning {
            return;
        }
        self.tuning = tuning;
        self.apart = tuning.apart();
        self.blocks.clear();
    }

    /// Switches the block cache off or on, see [`Tuning::keeps_blocks`].
    pub fn set_block_cache(&mut self, on: bool) {
        self.tune(Tuning {
            keeps_blocks: on,
            ..self.tuning
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CpuModel;
    use crate::op::Handler;
    use crate::tests::{Board, flat_at_1000};
    use emu_core::backend::{CpuBackend, CpuId};

    /// In a 32-bit segment: mov eax,ecx / and eax,3 / cmp ebx,[edx] / jne 1000h / dec esi / jnz 1000h / hlt.
    const LOOP: [u8; 13] = [
        0x89, 0xC8, 0x83, 0xE0, 0x03, 0x3B, 0x1A, 0x75, 0xF7, 0x4E, 0x75, 0xF4, 0xF4,
    ];

    fn cpu(tuning: Tuning) -> (Board, Interpreter) {
        let mut cpu = Interpreter::new(CpuId(0), CpuModel::P6);
        cpu.tune(tuning);
        let mut s = flat_at_1000(&cpu);
        s.gpr[6] = 100;
        cpu.set_state(&s);
        let mut board = Board::new(&LOOP);
        // No event splits a block.
        board.period = 1 << 20;
        board.ram[0].write(0, &s.gpr[3].to_le_bytes());
        (board, cpu)
    }

    /// The handlers of the operations of the first block, and how many instructions and links it has.
    fn first_block(cpu: &Interpreter) -> (Vec<Handler>, u32, usize) {
        let (head, _) = cpu
            .blocks
            .recent(0x1000, cpu.mode | cpu.apart)
            .expect("it ran there");
        let block = head.block().expect("it is kept");
        let handlers = block.starts[..block.insns as usize].iter();
        let handlers = handlers.map(|start| head.first().plus(usize::from(start.slot) - 1).handler);
        let links = block.links.iter().filter(|link| **link != 0).count();
        (handlers.collect(), block.insns, links)
    }

    fn fast_but(change: impl Fn(&mut Tuning)) -> (Board, Interpreter) {
        let mut tuning = Tuning::FAST;
        change(&mut tuning);
        let (mut board, mut cpu) = cpu(tuning);
        cpu.run(&mut board, None);
        assert_eq!(cpu.state().gpr[6], 0);
        (board, cpu)
    }

    #[test]
    fn each_part_can_be_switched_off() {
        let (_, fast) = fast_but(|_| ());
        let (short, insns, links) = first_block(&fast);
        assert_eq!((insns, links), (4, 2));

        let (_, cpu) = fast_but(|t| t.shortens = false);
        let (plain, insns, links) = first_block(&cpu);
        assert_eq!((insns, links), (4, 2));
        // MOV, AND, CMP are executed otherwise, the jump is not.
        let same = short.iter().zip(&plain);
        let same = same.map(|(a, b)| *a as usize == *b as usize);
        assert_eq!(same.collect::<Vec<_>>(), [false, false, false, true]);

        let (_, cpu) = fast_but(|t| t.links_blocks = false);
        let (handlers, insns, links) = first_block(&cpu);
        assert_eq!((insns, links), (4, 0));
        assert!(cpu.blocks.recent(0x1000, cpu.mode).is_none());
        let same = short.iter().zip(&handlers);
        assert!(same.into_iter().all(|(a, b)| *a as usize == *b as usize));

        let (_, cpu) = fast_but(|t| t.long_blocks = false);
        assert_eq!(first_block(&cpu).1, 1);
        assert!(cpu.blocks.recent(0x1000, cpu.mode).is_none());

        let (_, cpu) = fast_but(|t| t.keeps_blocks = false);
        assert!(cpu.blocks.recent(0x1000, cpu.mode).is_none());
        assert!(cpu.stats().blocks_decoded > 600);
    }

    #[test]
    fn what_was_decoded_is_dropped_when_something_is_switched() {
        let (mut board, mut cpu) = fast_but(|_| ());
        let mut again = |cpu: &mut Interpreter, tuning: Tuning| {
            cpu.tune(tuning);
            let before = cpu.stats().blocks_decoded;
            let mut s = cpu.state();
            s.rip = 0x1000;
            s.gpr[6] = 100;
            s.activity = emu_core::x86::Activity::Running;
            cpu.set_state(&s);
            cpu.run(&mut board, None);
            cpu.stats().blocks_decoded - before
        };
        assert_eq!(again(&mut cpu, Tuning::FAST), 0);
        let plain = Tuning {
            shortens: false,
            ..Tuning::FAST
        };
        assert!(again(&mut cpu, plain) >= 2);
        assert_eq!(again(&mut cpu, plain), 0);
        assert!(again(&mut cpu, Tuning::FAST) >= 2);
    }
}
