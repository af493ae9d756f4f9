//! RDRAND and RDSEED (SDM vol. 2, each; vol. 1, section 7.3.17).
//!
//! Nothing of the host enters: the numbers are those of SplitMix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number
//! Generators", OOPSLA 2014, figures 16 and 17), which the machine's seed starts and whose state is saved with the CPU, so that a
//! run repeats. Both instructions draw from it, one 64-bit number each time, and there always is one: CF is set.
//!
//! **Known inaccuracies**: guests that want unpredictable numbers get none; a processor may also run out of them.

use super::operand::As;
use crate::alu::flags::CF;
use crate::alu::{Flags, Int};
use crate::interpreter::Interpreter;
use crate::op::{Instruction, OpRef, Stop};

/// RDRAND, RDSEED: a number to register `a`; CF set, the other arithmetic flags cleared.
pub struct RandomNumber<T>(As<T>);

impl<T: Int> Instruction for RandomNumber<T> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let v = next(&mut cpu.random);
        cpu.regs.set(op.a, T::from_u64(v));
        cpu.flags = Flags::explicit(CF);
        Ok(())
    }
}

/// The next number.
fn next(state: &mut u64) -> u64 {
    // The golden ratio, and the two multipliers of the mixing function.
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = *state;
    let z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ z >> 31
}

impl Interpreter {
    /// Starts the generator of RDRAND and RDSEED. CPUs of one machine have different numbers.
    pub fn seed_random(&mut self, seed: u64) {
        self.random = seed;
        for _ in 0..=self.id.0 {
            self.random = next(&mut self.random);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CpuModel;
    use crate::tests::Board;
    use emu_core::backend::{CpuBackend, CpuId};
    use emu_core::x86::Gpr;

    #[test]
    fn the_generator_is_splitmix64() {
        // The first numbers of Vigna's reference implementation (prng.di.unimi.it/splitmix64.c) for the seed 1234567.
        let mut state = 1_234_567;
        for expected in [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ] {
            assert_eq!(next(&mut state), expected);
        }
    }

    #[test]
    fn numbers_fill_the_register_set_carry_and_follow_from_the_seed() {
        let model = CpuModel::by_name("max").expect("a model");
        // rdrand ax / rdseed ebx / rdrand ecx, in real mode.
        let code = [
            0x0F, 0xC7, 0xF0, 0x66, 0x0F, 0xC7, 0xFB, 0x66, 0x0F, 0xC7, 0xF1,
        ];
        let run = |seed| {
            let mut board = Board::new(&code);
            board.stop_at = 3;
            let mut cpu = Interpreter::new(CpuId(0), model);
            let mut s = cpu.state();
            s.segments[1].selector.0 = 0;
            s.segments[1].base = 0;
            s.rip = 0x1000;
            s.rflags |= emu_core::x86::Rflags::ARITHMETIC;
            s.gpr = [0xAAAA_AAAA; 16];
            cpu.set_state(&s);
            cpu.seed_random(seed);
            cpu.run(&mut board, None);
            let s = cpu.state();
            assert_eq!(s.rflags.bits() & 0x8D5, 1);
            [Gpr::Rax, Gpr::Rbx, Gpr::Rcx].map(|r| s.gpr[r as usize])
        };
        let numbers = run(7);
        assert_eq!(numbers[0] >> 16, 0xAAAA, "16 bits leave the others alone");
        assert_eq!(run(7), numbers);
        assert_ne!(run(8), numbers);
        assert_ne!(numbers[1], numbers[2]);
    }

    #[test]
    fn a_reset_does_not_start_the_generator_anew() {
        let mut cpu = Interpreter::new(CpuId(0), CpuModel::by_name("max").expect("a model"));
        cpu.seed_random(1);
        let before = cpu.state().random;
        cpu.reset(false);
        assert_eq!(cpu.state().random, before);
        let mut other = Interpreter::new(CpuId(1), cpu.model());
        other.seed_random(1);
        assert_ne!(other.state().random, before);
    }
}
