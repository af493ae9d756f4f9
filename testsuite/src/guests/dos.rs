//! DOS at work: what is typed, and what its disk must hold afterwards.

use super::disk::Files;
use super::list::Step::{self, Expect, Type};

/// Copies, makes a folder, deletes; then the machine is restarted by Ctrl+Alt+Del, and then switched off and on, and
/// each time the files are looked at. `drive` is the letter that DOS started from.
pub fn sessions(drive: char) -> Vec<Vec<Step>> {
    let prompt = format!("{drive}:\\>");
    // An expectation that begins with a command's echo and ends with the next prompt is met when DOS is done.
    let done = |last_line: &str| Expect(format!("{last_line}\n\n{prompt}"));
    let files_at_work = vec![
        Expect(prompt.clone()),
        Type("ver\\n".into()),
        Expect("FreeCom".into()),
        Type("cls\\ndir\\n".into()),
        Expect("KERNEL   SYS        45,450".into()),
        Expect("bytes free".into()),
        Type("copy kernel.sys copied.sys\\n".into()),
        done("kernel.sys => copied.sys"),
        Type("md sub\\n".into()),
        done("md sub"),
        Type("copy config.sys sub\\n".into()),
        done("config.sys => sub\\config.sys"),
        Type("del readme.txt\\n".into()),
        done("one file removed."),
        Type("dir readme.txt\\n".into()),
        done("File not found."),
        Type("cls\\n<ctrl-alt-del>".into()),
        Expect("FreeDOS kernel".into()),
        Expect(prompt.clone()),
        Type("dir copied.sys\\n".into()),
        Expect("COPIED   SYS        45,450".into()),
    ];
    let files_kept = vec![
        Expect(prompt.clone()),
        Type("dir sub\\n".into()),
        Expect("CONFIG   SYS".into()),
        Expect("bytes free".into()),
        Type("dir readme.txt\\n".into()),
        done("File not found."),
    ];
    vec![files_at_work, files_kept]
}

/// What a disk with these files has after the sessions.
pub fn files_afterwards(before: &Files) -> Files {
    let mut files = before.clone();
    let contents_of = |name: &str| before.get(name).cloned().unwrap_or_default();
    files.remove("README.TXT");
    files.insert("COPIED.SYS".into(), contents_of("KERNEL.SYS"));
    files.insert("SUB/".into(), Vec::new());
    files.insert("SUB/CONFIG.SYS".into(), contents_of("CONFIG.SYS"));
    files
}
