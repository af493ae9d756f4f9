//! What a guest sees of the TLB: the same with the block cache, without it, and watched.

use super::*;
use emu_core::probe::{Probe, Watched};

/// Watches memory too, or not.
struct Watcher(bool);

impl Probe for Watcher {
    fn watched(&self) -> Watched {
        if self.0 {
            Watched::Everything
        } else {
            Watched::Nothing
        }
    }
}

const DIRECTORY: usize = 0x1_0000;
const TABLE: usize = 0x1_1000;

/// Maps the first 4 MiB at 1:1 for all.
fn map(b: &Board, s: &mut CpuState) {
    b.set_dword(DIRECTORY, TABLE as u32 | 7);
    for page in 0..1024 {
        b.set_dword(TABLE + 4 * page, (page << 12) as u32 | 7);
    }
    s.cr3 = DIRECTORY as u64;
    s.cr0 |= Cr0::PG;
}

/// Runs a program to the halt of a handler in each way; all must end the same.
fn in_every_way(program: impl Fn() -> (Board, CpuState)) -> (Board, CpuState) {
    let ways = [
        (true, None),
        (false, None),
        (true, Some(false)),
        (true, Some(true)),
        (false, Some(true)),
    ];
    let [first, others @ ..] = ways.map(|(cached, watched)| {
        let (mut b, s) = program();
        let mut cpu = Interpreter::new(CpuId(0), CpuModel::P6);
        cpu.set_block_cache(cached);
        cpu.set_state(&s);
        let mut watcher = watched.map(Watcher);
        let probe = watcher.as_mut().map(|w| w as &mut dyn Probe);
        assert_eq!(cpu.run(&mut b, probe), Exit::Halted);
        (b, cpu.state())
    });
    for (b, s) in others {
        assert_eq!((s, b.insns), (first.1, first.0.insns));
    }
    first
}

#[test]
fn code_whose_page_is_unmapped_goes_on_until_the_tlb_is_told() {
    // mov eax,cr3 / mov cr3,eax; invlpg [CODE]
    let ways: [&[u8]; 2] = [
        &[0x0F, 0x20, 0xD8, 0x0F, 0x22, 0xD8],
        &[0x0F, 0x01, 0x3D, 0, CODE_PAGE, 0, 0],
    ];
    const CODE_PAGE: u8 = (CODE >> 8) as u8;
    for way in ways {
        // mov dword [entry of this page],0 / nop / jmp $+2 / inc ecx
        let mut code = vec![0xC7, 0x05, 8, 0x10, 0x01, 0, 0, 0, 0, 0];
        code.extend([0x90, 0xEB, 0, 0x41]);
        code.extend(way);
        let end = (CODE + code.len()) as u64;
        code.push(0xF4);
        let (b, s) = in_every_way(|| {
            let (b, mut s) = protected(0, &code);
            map(&b, &mut s);
            s.gpr[Gpr::Rcx as usize] = 0;
            (b, s)
        });
        assert_eq!(s.rip, (HANDLERS + 14 * 16 + 1) as u64);
        assert_eq!((s.cr2, s.gpr[Gpr::Rcx as usize]), (end, 1));
        assert_eq!((b.dword(sp(&s)), u64::from(b.dword(sp(&s) + 4))), (0, end));
    }
}

#[test]
fn code_is_fetched_from_where_its_page_was_until_the_tlb_is_told() {
    // call 6000h, where a RET stands / mov dword [entry of page 6],5007h / mov eax,6010h / jmp eax
    let code = [
        0xE8, 0xFB, 0x3F, 0, 0, 0xC7, 0x05, 0x18, 0x10, 0x01, 0, 0x07, 0x50, 0, 0, 0xB8, 0x10,
        0x60, 0, 0, 0xFF, 0xE0,
    ];
    // In page 6: inc ecx / invlpg [6000h] / jmp eax; in page 5: hlt.
    let there = [0x41, 0x0F, 0x01, 0x3D, 0, 0x60, 0, 0, 0xFF, 0xE0];
    let (_, s) = in_every_way(|| {
        let (b, mut s) = protected(0, &code);
        b.write(0x6000, &[0xC3]);
        b.write(0x6010, &there);
        // What stands behind INVLPG comes from page 5 already.
        b.write(0x5018, &[0xF4]);
        map(&b, &mut s);
        s.gpr[Gpr::Rcx as usize] = 0;
        (b, s)
    });
    assert_eq!((s.rip, s.gpr[Gpr::Rcx as usize]), (0x6019, 1));
}

#[test]
fn a_data_page_that_is_unmapped_is_read_until_the_tlb_is_told() {
    // mov eax,[5000h] / mov dword [entry of page 5],0 / inc ecx / jmp $+2 / mov eax,[5000h] / invlpg [5000h] /
    // inc ecx / mov eax,[5000h]
    let load = [0xA1, 0, 0x50, 0, 0];
    let mut code = load.to_vec();
    code.extend([0xC7, 0x05, 0x14, 0x10, 0x01, 0, 0, 0, 0, 0]);
    code.extend([0x41, 0xEB, 0]);
    code.extend(load);
    code.extend([0x0F, 0x01, 0x3D, 0, 0x50, 0, 0, 0x41]);
    code.extend(load);
    let (_, s) = in_every_way(|| {
        let (b, mut s) = protected(0, &code);
        map(&b, &mut s);
        s.gpr[Gpr::Rcx as usize] = 0;
        (b, s)
    });
    assert_eq!((s.cr2, s.gpr[Gpr::Rcx as usize]), (0x5000, 2));
}

#[test]
fn a_data_page_that_is_unmapped_is_written_until_the_tlb_is_told() {
    // mov [5000h],eax / mov dword [entry of page 5],0 / insb / mov [5000h],eax / inc ecx / invlpg [5000h] / insb
    let store = [0xA3, 0, 0x50, 0, 0];
    let mut code = store.to_vec();
    code.extend([0xC7, 0x05, 0x14, 0x10, 0x01, 0, 0, 0, 0, 0, 0x6C]);
    code.extend(store);
    code.extend([0x41, 0x0F, 0x01, 0x3D, 0, 0x50, 0, 0, 0x6C]);
    let (_, s) = in_every_way(|| {
        let (b, mut s) = protected(0, &code);
        map(&b, &mut s);
        s.gpr[Gpr::Rcx as usize] = 0;
        s.gpr[Gpr::Rdi as usize] = 0x5008;
        (b, s)
    });
    assert_eq!((s.cr2, s.gpr[Gpr::Rcx as usize]), (0x5009, 1));
}

/// Maps linear pages 8 and 9 where pages 6 and 5 are.
fn map_aliases(b: &Board, s: &mut CpuState) {
    map(b, s);
    b.set_dword(TABLE + 4 * 8, 0x6007);
    b.set_dword(TABLE + 4 * 9, 0x5007);
}

/// call 6FFDh / call 8FFDh / dec ebx / jnz to the first call; `then`
fn calls_through_both(then: &[u8]) -> Vec<u8> {
    let call = |to: usize, at: usize| {
        let mut code = vec![0xE8];
        code.extend(
            (to as u32)
                .wrapping_sub((CODE + at + 5) as u32)
                .to_le_bytes(),
        );
        code
    };
    let mut code = [call(0x6FFD, 0), call(0x8FFD, 5)].concat();
    code.extend([0x4B, 0x75, 0xF3]);
    code.extend(then);
    code
}

#[test]
fn code_that_leads_out_of_its_page_leads_to_what_is_mapped_behind_that_mapping() {
    // At 6FF0h a jump over the end of the page; at 6FFDh a jump to there. Behind: inc ecx or inc edx / ret.
    let code = calls_through_both(&[0xF4]);
    let (_, s) = in_every_way(|| {
        let (b, mut s) = protected(0, &code);
        b.write(0x6FF0, &[0xE9, 0x0B, 0, 0, 0]);
        b.write(0x6FFD, &[0xEB, 0xF1]);
        b.write(0x7000, &[0x41, 0xC3]);
        b.write(0x5000, &[0x42, 0xC3]);
        map_aliases(&b, &mut s);
        s.gpr[Gpr::Rcx as usize] = 0;
        s.gpr[Gpr::Rdx as usize] = 0;
        s.gpr[Gpr::Rbx as usize] = 9;
        (b, s)
    });
    let [c, d] = [Gpr::Rcx, Gpr::Rdx].map(|r| s.gpr[r as usize]);
    assert_eq!((c, d), (9, 9));
}

#[test]
fn an_instruction_over_the_end_of_a_page_goes_on_in_what_is_mapped_behind_that_mapping() {
    // Behind the loop: mov dword [entry of page 7],5007h / invlpg [7000h] / call 6FFDh / hlt
    let mut then = vec![0xC7, 0x05, 0x1C, 0x10, 0x01, 0, 0x07, 0x50, 0, 0];
    then.extend([0x0F, 0x01, 0x3D, 0, 0x70, 0, 0, 0xE8]);
    let at = CODE + 13 + then.len() + 4;
    then.extend((0x6FFDu32).wrapping_sub(at as u32).to_le_bytes());
    then.push(0xF4);
    let code = calls_through_both(&then);
    let (_, s) = in_every_way(|| {
        let (b, mut s) = protected(0, &code);
        // nop / add ecx, 1 or 100h / ret
        b.write(0x6FFD, &[0x90, 0x81, 0xC1]);
        b.write(0x7000, &[1, 0, 0, 0, 0xC3]);
        b.write(0x5000, &[0, 1, 0, 0, 0xC3]);
        map_aliases(&b, &mut s);
        s.gpr[Gpr::Rcx as usize] = 0;
        s.gpr[Gpr::Rbx as usize] = 9;
        (b, s)
    });
    assert_eq!(s.gpr[Gpr::Rcx as usize], 9 + 0x100 * 9 + 0x100);
}

#[test]
fn a_jump_out_of_a_page_finds_code_that_was_stored_over() {
    // call 6000h / mov byte [7000h],42h / dec ebx / jnz to the call / hlt; there: jmp 7000h; there: inc ecx / ret.
    let mut code = vec![0xE8];
    code.extend((0x6000u32).wrapping_sub((CODE + 5) as u32).to_le_bytes());
    code.extend([0xC6, 0x05, 0, 0x70, 0, 0, 0x42, 0x4B, 0x75, 0xF1, 0xF4]);
    let (_, s) = in_every_way(|| {
        let (b, mut s) = protected(0, &code);
        b.write(0x6000, &[0xE9, 0xFB, 0x0F, 0, 0]);
        b.write(0x7000, &[0x41, 0xC3]);
        map(&b, &mut s);
        s.gpr[Gpr::Rcx as usize] = 0;
        s.gpr[Gpr::Rdx as usize] = 0;
        // So many that dropped blocks are freed meanwhile.
        s.gpr[Gpr::Rbx as usize] = 600;
        (b, s)
    });
    let [c, d] = [Gpr::Rcx, Gpr::Rdx].map(|r| s.gpr[r as usize]);
    assert_eq!((c, d), (1, 599));
}

/// mov eax,[`at`]
fn load(at: u32) -> Vec<u8> {
    [&[0xA1][..], &at.to_le_bytes()].concat()
}

/// mov dword [`at`],`v`
fn store(at: usize, v: u32) -> Vec<u8> {
    [
        &[0xC7, 0x05][..],
        &(at as u32).to_le_bytes(),
        &v.to_le_bytes(),
    ]
    .concat()
}

/// Lets the second 4 MiB be one large page at 0, global or not, and lets the code be in a page that is global too.
fn map_large(b: &Board, s: &mut CpuState, global: u32) {
    map(b, s);
    b.set_dword(DIRECTORY + 4, 0x87 | global);
    s.cr4 |= emu_core::x86::Cr4::PSE | emu_core::x86::Cr4::PGE;
}

const GLOBAL: u32 = 0x100;

#[test]
fn a_page_that_is_invalidated_takes_all_of_its_large_page_with_it() {
    // Two pieces of a large page are read, and page 5 of another table; then neither is present; then one address of the
    // large page is invalidated. Page 5 is readable still, the other piece of the large page is not.
    let code = [
        load(0x40_5000),
        load(0x47_0000),
        load(0x5000),
        store(DIRECTORY + 4, 0),
        store(TABLE + 4 * 5, 0),
        vec![0x41],
        load(0x47_0008),
        vec![0x0F, 0x01, 0x3D, 0x34, 0x12, 0x43, 0, 0x41],
        load(0x5004),
        vec![0x41],
        load(0x47_0010),
    ]
    .concat();
    for global in [0, GLOBAL] {
        let (_, s) = in_every_way(|| {
            let (b, mut s) = protected(0, &code);
            map_large(&b, &mut s, global);
            s.gpr[Gpr::Rcx as usize] = 0;
            (b, s)
        });
        assert_eq!((s.cr2, s.gpr[Gpr::Rcx as usize]), (0x47_0010, 3));
    }
}

#[test]
fn global_pages_outlive_a_write_to_cr3_and_no_others_do() {
    // A global page and another are read and written, then unmapped; CR3 is written; the global one is accessed again,
    // then the other.
    let store_to = |at: u32| [&[0xA3][..], &at.to_le_bytes()].concat();
    let page = |n: usize| TABLE + 4 * n;
    let prepare = [
        load(0xA000),
        store_to(0xA004),
        load(0xB000),
        store_to(0xB004),
        store(page(10), 0),
        store(page(11), 0),
        // mov ebx,cr3 / mov cr3,ebx
        vec![0x0F, 0x20, 0xDB, 0x0F, 0x22, 0xDB, 0x41],
    ]
    .concat();
    let last = [load(0xB008), store_to(0xB008)];
    for access in last {
        let code = [
            prepare.clone(),
            load(0xA008),
            vec![0x41],
            store_to(0xA008),
            vec![0x41],
            access,
        ]
        .concat();
        let (_, s) = in_every_way(|| {
            let (b, mut s) = protected(0, &code);
            map_large(&b, &mut s, 0);
            b.set_dword(page(10), 0xA007 | GLOBAL);
            s.gpr[Gpr::Rcx as usize] = 0;
            (b, s)
        });
        assert_eq!((s.cr2, s.gpr[Gpr::Rcx as usize]), (0xB008, 3));
    }
}

#[test]
fn a_global_page_that_was_replaced_by_one_that_is_not_goes_with_cr3() {
    // The same slot of a TLB may serve one page after the other; so may the same page be global first and then not.
    let code = [
        load(0xA000),
        store(TABLE + 4 * 10, 0xA007),
        vec![0x0F, 0x01, 0x3D, 0, 0xA0, 0, 0],
        load(0xA004),
        store(TABLE + 4 * 10, 0),
        load(0xA008),
        vec![0x41, 0x0F, 0x20, 0xDB, 0x0F, 0x22, 0xDB, 0x41],
        load(0xA00C),
    ]
    .concat();
    let (_, s) = in_every_way(|| {
        let (b, mut s) = protected(0, &code);
        map_large(&b, &mut s, 0);
        b.set_dword(TABLE + 4 * 10, 0xA007 | GLOBAL);
        s.gpr[Gpr::Rcx as usize] = 0;
        (b, s)
    });
    assert_eq!((s.cr2, s.gpr[Gpr::Rcx as usize]), (0xA00C, 2));
}

#[test]
fn a_page_that_was_written_is_read_without_another_walk_and_is_marked_dirty_by_the_store_alone() {
    // mov [A000h],eax / mov eax,[A004h]; B000h is read only.
    let code = [
        vec![0xA3, 0, 0xA0, 0, 0],
        load(0xA004),
        load(0xB000),
        vec![0xF4],
    ]
    .concat();
    let (b, _) = in_every_way(|| {
        let (b, mut s) = protected(0, &code);
        map(&b, &mut s);
        (b, s)
    });
    // Accessed is bit 5, dirty bit 6.
    let marks = [10, 11, 12].map(|n| b.dword((TABLE + 4 * n) as u64) & 0x60);
    assert_eq!(marks, [0x60, 0x20, 0]);
}

const POINTERS: usize = 0x1_2000;
const WIDE_DIRECTORY: usize = 0x1_3000;

#[test]
fn a_task_whose_page_tables_are_refused_faults_at_its_own_level() {
    // jmp 30:0, to a task at level 3 whose CR3 leads where no memory is: all ones, with reserved bits.
    let (mut b, mut s) = protected(0, &[0xEA, 0, 0, 0, 0, 0x30, 0]);
    second_task(&b, GATE_CODE as u32, 2);
    b.set_dword(TSS_2 + 0x04, 0x7800);
    b.set_dword(TSS_2 + 0x08, 0x10);
    b.set_dword(TSS_2 + 0x1C, 4 << 20);
    b.set_dword(TSS_2 + 0x4C, 0x1B);
    b.set_dword(POINTERS, WIDE_DIRECTORY as u32 | 1);
    b.set_dword(WIDE_DIRECTORY, 0x87);
    s.cr3 = POINTERS as u64;
    s.pdpte[0] = WIDE_DIRECTORY as u64 | 1;
    s.cr4 |= emu_core::x86::Cr4::PAE;
    s.cr0 |= Cr0::PG;
    let (v, s) = vector(&mut b, &s);
    assert_eq!((v, s.tr.selector.0, s.cr3), (13, 0x30, 4 << 20));
    // Error code, EIP and CS on the stack of level 0 that the new TSS names, below ESP and SS of the task.
    let frame = [0, 4, 8].map(|n| b.dword(sp(&s) + n));
    assert_eq!((sp(&s), frame), (0x7800 - 24, [0, GATE_CODE as u32, 0x1B]));
}

#[test]
fn another_page_table_is_walked_to_once_any_page_is_invalidated_or_cr3_is_written() {
    const WIDE_TABLES: [usize; 2] = [0x1_4000, 0x1_5000];
    // Page 10 is read; then the directory leads to another table, in which page 11 is another one.
    let prepare = [
        load(0xA000),
        store(WIDE_DIRECTORY, WIDE_TABLES[1] as u32 | 7),
    ]
    .concat();
    // invlpg [F000h], which is not used; mov eax,cr3 / mov cr3,eax
    let ways: [&[u8]; 2] = [
        &[0x0F, 0x01, 0x3D, 0, 0xF0, 0, 0],
        &[0x0F, 0x20, 0xD8, 0x0F, 0x22, 0xD8],
    ];
    for way in ways {
        let code = [prepare.clone(), way.to_vec(), load(0xB000), vec![0xF4]].concat();
        let (b, s) = in_every_way(|| {
            let (b, mut s) = protected(0, &code);
            b.set_dword(POINTERS, WIDE_DIRECTORY as u32 | 1);
            b.set_dword(WIDE_DIRECTORY, WIDE_TABLES[0] as u32 | 7);
            for table in WIDE_TABLES {
                for page in 0..512 {
                    b.set_dword(table + 8 * page, (page << 12) as u32 | 7);
                }
            }
            b.set_dword(WIDE_TABLES[1] + 8 * 11, 0xC007);
            b.set_dword(0xB000, 1);
            b.set_dword(0xC000, 2);
            s.cr3 = POINTERS as u64;
            s.pdpte[0] = WIDE_DIRECTORY as u64 | 1;
            s.cr4 |= emu_core::x86::Cr4::PAE;
            s.cr0 |= Cr0::PG;
            (b, s)
        });
        assert_eq!(s.gpr[Gpr::Rax as usize], 2);
        // The new entry of the directory is marked as accessed, like the one before it.
        assert_eq!(b.dword(WIDE_DIRECTORY as u64), WIDE_TABLES[1] as u32 | 0x27);
    }
}
