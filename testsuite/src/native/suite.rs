//! The runs: random cases, or given ones.

use super::Args;
use super::bench::Bench;
use super::case::{Case, CodeSize};
use super::generator::{Generator, decode};
use super::host;
use super::report::{Report, describe};
use super::shrink::shrink;
use anyhow::{Context, Result, bail};
use campaign::{Results, Suite};
use cpu::CpuModel;
use iced_x86::CpuidFeature;

/// The model that offers the most.
pub fn richest_model() -> Result<&'static CpuModel> {
    let richest = CpuModel::ALL.iter().max_by_key(|m| m.features.len());
    let name = richest.map_or(CpuModel::P6.name, |m| m.name);
    Ok(CpuModel::named(&host::as_its_maker(name))?)
}

fn model(args: &Args) -> Result<&'static CpuModel> {
    let Some(name) = &args.model else {
        return richest_model();
    };
    let model = CpuModel::named(&host::as_its_maker(name))?;
    if model.processor.is_some() {
        bail!("the host's processor does not do what a {name} does");
    }
    Ok(model)
}

/// The code sizes that a model has.
fn sizes_of(model: &CpuModel) -> Vec<CodeSize> {
    let long = model.has(CpuidFeature::X64);
    CodeSize::ALL
        .into_iter()
        .filter(|s| *s != CodeSize::Bits64 || long)
        .collect()
}

pub fn run(args: &Args) -> Result<bool> {
    let model = model(args)?;
    if let Some(line) = &args.replay {
        return replay(model, line);
    }
    if let Some(path) = &args.replay_file {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        return replay(model, &text);
    }
    let mut sizes = sizes_of(model);
    if !args.bits.is_empty() {
        sizes.retain(|s| args.bits.contains(&s.bits()));
    }
    if sizes.is_empty() {
        bail!("the model {} has no code segments of this size", model.name);
    }
    let mut generator = Generator::new(model, &sizes, args.only.as_deref());
    let forms = generator.targets().len() as u64;
    if forms == 0 {
        bail!("no form of this name is compared; --list names all");
    }
    let shard = args.campaign.shard()?;
    let mut report = Report::new(forms as usize, args.verbose);
    let mut bench = Bench::new(model)?;
    let (seed, count) = (args.seed, args.count);
    // A round has a case of each form, so that every part of a shared run meets every form.
    let rounds =
        shard.of((0..count.div_ceil(forms)).map(|r| r * forms..(r * forms + forms).min(count)));
    let cases = rounds
        .flatten()
        .map(|index| generator.generate(seed, index));
    bench.run(cases, |generated, ending| report.add(generated, ending))?;
    report.print(generator.targets(), &generator.forms, args.list);
    for (size, code) in report.unmet(generator.targets()) {
        println!(
            "{} bits: no case of {code:?} could be compared",
            size.bits()
        );
    }
    show_failures(&mut bench, &report)?;
    let bits: Vec<_> = sizes.iter().map(|s| s.bits().to_string()).collect();
    let mut results = Results::new(Suite::Native, shard)
        .set("seed", seed)
        .set("count", count)
        .set("model", model.name)
        .set("bits", bits.join(" "))
        .set_if("only", args.only.as_ref());
    results.oracles.insert(host::name());
    report.fill(&mut results, generator.targets(), &generator.forms);
    campaign::conclude(&results, &args.campaign)
}

fn show_failures(bench: &mut Bench, report: &Report) -> Result<()> {
    for failure in &report.failures {
        if failure.lost_the_child {
            let case = &failure.generated.case;
            println!("{}", case.line());
            println!("    {}{}", decode(case), describe(&failure.differences));
            continue;
        }
        let what = failure
            .differences
            .first()
            .map(|d| d.what.clone())
            .unwrap_or_default();
        let case = shrink(bench, &failure.generated.case, &what)?;
        let (ending, ..) = bench.run_one(&case)?;
        let differences = ending
            .failure()
            .unwrap_or_else(|| failure.differences.clone());
        println!("{}", case.line());
        println!("    {}{}", decode(&case), describe(&differences));
    }
    Ok(())
}

/// Runs the cases of a text, one a line; lines that start with # are comments.
pub fn replay(model: &'static CpuModel, text: &str) -> Result<bool> {
    let mut bench = Bench::new(model)?;
    let sizes = sizes_of(model);
    let (mut cases, mut failed, mut not_offered) = (0u64, 0u64, 0u64);
    for (n, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let case = Case::from_line(line).map_err(|e| anyhow::anyhow!("line {}: {e}", n + 1))?;
        let insn = decode(&case);
        if !sizes.contains(&case.size) || !model.offers(&insn) {
            not_offered += 1;
            continue;
        }
        cases += 1;
        let (ending, host, ours) = bench.run_one(&case)?;
        if let Some(differences) = ending.failure() {
            failed += 1;
            println!("{line}\n    {insn}{}", describe(&differences));
            println!(
                "    the host ended with exception {} at {:x}, ours with {} at {:x}",
                host.vector, host.rip, ours.vector, ours.rip
            );
        }
    }
    println!(
        "native: {cases} cases, {not_offered} not offered by {}, {failed} failed",
        model.name
    );
    Ok(failed == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_core_does_what_the_host_does() {
        let model = richest_model().unwrap();
        let mut generator = Generator::new(model, &sizes_of(model), None);
        let forms = generator.targets().len();
        let mut report = Report::new(forms, 1);
        let mut bench = Bench::new(model).unwrap();
        let cases = (0..4 * forms as u64).map(|index| generator.generate(2024, index));
        bench
            .run(cases, |generated, ending| report.add(generated, ending))
            .unwrap();
        show_failures(&mut bench, &report).unwrap();
        assert_eq!(report.failed(), 0);
        let unmet: Vec<_> = report.unmet(generator.targets()).collect();
        assert!(unmet.is_empty(), "{unmet:?}");
    }

    #[test]
    fn cases_that_once_failed_do_what_the_host_does() {
        let text = include_str!("../../native/cases.txt");
        assert!(replay(richest_model().unwrap(), text).unwrap());
    }
}
