//! Parts of a run, by the command line and by a scheduler's variables, add up to the run as a whole.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

fn testsuite(args: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_testsuite"));
    for name in [
        "JOB_COMPLETION_INDEX",
        "BOXWOOD_SHARDS",
        "SLURM_ARRAY_TASK_ID",
    ] {
        command.env_remove(name);
    }
    let variables = variables.iter().copied();
    command.args(args).envs(variables).output().unwrap()
}

fn last_line(out: &Output) -> String {
    let text = String::from_utf8_lossy(&out.stdout);
    text.lines().last().unwrap_or_default().to_owned()
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
#[test]
fn merged_parts_are_the_file_that_one_run_writes() {
    let folder = Folder::new("parts");
    let run = |file: &str, args: &[&str], variables: &[(&str, &str)]| {
        let file = folder.file(file);
        let native = [
            "native", "--count", "1500", "--only", "Add_", "--junit", &file,
        ];
        let out = testsuite(&[&native[..], args].concat(), variables);
        assert!(out.status.success(), "{out:?}");
        last_line(&out)
    };
    let whole = run("whole.xml", &[], &[]);
    assert!(whole.starts_with("native: 1500 cases, "), "{whole}");
    run("1.xml", &["--shard", "1/3"], &[]);
    let pod = [("JOB_COMPLETION_INDEX", "1"), ("BOXWOOD_SHARDS", "3")];
    run("2.xml", &[], &pod);
    let task = [
        ("SLURM_ARRAY_TASK_ID", "12"),
        ("SLURM_ARRAY_TASK_MIN", "10"),
        ("SLURM_ARRAY_TASK_COUNT", "3"),
    ];
    run("3.xml", &[], &task);
    let [out, a, b, c] = ["out.xml", "1.xml", "2.xml", "3.xml"].map(|f| folder.file(f));
    let merged = testsuite(&["merge", &out, &c, &a, &b], &[]);
    assert!(merged.status.success(), "{merged:?}");
    assert_eq!(last_line(&merged), whole);
    let read = |file: &str| std::fs::read_to_string(folder.file(file)).unwrap();
    assert_eq!(read("out.xml"), read("whole.xml"));

    let incomplete = testsuite(&["merge", &out, &a, &c], &[]);
    assert_eq!(incomplete.status.code(), Some(65));
    let complaint = String::from_utf8_lossy(&incomplete.stderr);
    assert!(complaint.contains("missing: 2"), "{complaint}");
    let double = testsuite(&["merge", &out, &a, &b, &c, &b], &[]);
    assert_eq!(double.status.code(), Some(65));
}

#[test]
fn a_wrong_part_is_one_sentence_and_exit_code_64() {
    let suites: [&[&str]; 7] = [
        &["native"],
        &["ring0"],
        &["exceptions"],
        &["published"],
        &["laws"],
        &["guests", "run", "--boxwood", "/bin/false"],
        &["vectors", "nowhere", "--model", "8086"],
    ];
    for suite in suites {
        let out = testsuite(&[suite, &["--shard", "5/4"]].concat(), &[]);
        assert_eq!(out.status.code(), Some(64), "{suite:?}");
        let complaint = String::from_utf8_lossy(&out.stderr);
        assert_eq!(complaint.lines().count(), 1, "{complaint}");
        let half = testsuite(suite, &[("JOB_COMPLETION_INDEX", "2")]);
        assert_eq!(half.status.code(), Some(64), "{suite:?}: {half:?}");
        let complaint = String::from_utf8_lossy(&half.stderr);
        assert_eq!(complaint.lines().count(), 1, "{complaint}");
        assert!(complaint.contains("BOXWOOD_SHARDS"), "{complaint}");
    }
}
