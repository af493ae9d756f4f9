//! Both processors side by side.

use super::case::{Case, Outcome};
use super::child::{BATCH, Child, SLOTS};
use super::compare::{AC_FLAG, Difference, Rules, Verdict, compare, is_unchecked};
use super::generator::{Generated, decode};
use super::subject::Subject;
use anyhow::Result;
use cpu::CpuModel;
use std::collections::VecDeque;

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// As the rules of comparison say.
    Compared(Verdict),
    /// The host's child did not survive it.
    Died(String),
}

impl Ending {
    /// Whether the host's child was lost.
    pub fn is_death(&self) -> bool {
        matches!(self, Self::Died(_))
    }

    /// Whether it counts as a failure, and with what.
    pub fn failure(&self) -> Option<Vec<Difference>> {
        match self {
            Self::Compared(Verdict::Different(differences)) => Some(differences.clone()),
            Self::Compared(_) => None,
            Self::Died(how) => Some(vec![Difference {
                what: how.clone(),
                host: 0,
                ours: 0,
            }]),
        }
    }
}

/// The host's child and our core.
pub struct Bench {
    child: Child,
    subject: Subject,
    rules: Rules,
    on_their_way: VecDeque<Vec<Generated>>,
}

impl Bench {
    /// With a fresh child.
    pub fn new(model: &'static CpuModel) -> Result<Self> {
        let subject = Subject::new(model)?;
        Ok(Self {
            child: Child::spawn()?,
            rules: Rules::new(subject.has_execute_disable()),
            subject,
            on_their_way: VecDeque::new(),
        })
    }

    /// Runs cases; `done` gets each with its result.
    pub fn run(
        &mut self,
        cases: impl Iterator<Item = Generated>,
        mut done: impl FnMut(&Generated, &Ending),
    ) -> Result<()> {
        let mut cases = cases.peekable();
        loop {
            while self.child.has_room() && cases.peek().is_some() {
                let batch: Vec<_> = cases.by_ref().take(BATCH).collect();
                self.send(batch);
            }
            if self.on_their_way.is_empty() {
                return Ok(());
            }
            self.receive(&mut done)?;
        }
    }

    fn send(&mut self, batch: Vec<Generated>) {
        let cases: Vec<Case> = batch.iter().map(|g| g.case).collect();
        self.child.send(&cases);
        self.on_their_way.push_back(batch);
    }

    fn receive(&mut self, done: &mut impl FnMut(&Generated, &Ending)) -> Result<()> {
        let Some(batch) = self.on_their_way.pop_front() else {
            return Ok(());
        };
        let (subject, rules) = (&mut self.subject, self.rules);
        let received = self.child.receive(|n, case, host| {
            if let Some(g) = batch.get(n) {
                done(g, &Ending::Compared(one(subject, rules, case, host).0));
            }
        });
        if let Err(died) = received {
            // The others of this batch, and those behind it, start again in a new child.
            let mut rest: VecDeque<_> = std::mem::take(&mut self.on_their_way);
            let mut batch = batch;
            if died.number < batch.len() {
                done(&batch.remove(died.number), &Ending::Died(died.how));
            }
            rest.push_front(batch);
            self.child = Child::spawn()?;
            debug_assert!(rest.len() <= SLOTS);
            for batch in rest {
                self.send(batch);
            }
        }
        Ok(())
    }

    /// Runs one case; nothing may be on its way.
    pub fn run_one(&mut self, case: &Case) -> Result<(Ending, Outcome, Outcome)> {
        self.child.send(&[*case]);
        let mut host = Outcome::new();
        match self.child.receive(|_, _, outcome| host = *outcome) {
            Ok(()) => {
                let (verdict, ours) = one(&mut self.subject, self.rules, case, &host);
                Ok((Ending::Compared(verdict), host, ours))
            }
            Err(died) => {
                self.child = Child::spawn()?;
                Ok((Ending::Died(died.how), host, Outcome::new()))
            }
        }
    }
}

fn one(subject: &mut Subject, rules: Rules, case: &Case, host: &Outcome) -> (Verdict, Outcome) {
    let insn = decode(case);
    let mut ours = subject.run(case);
    if is_unchecked(case, &insn, host, &ours) {
        let mut unchecked = *case;
        unchecked.flags &= !AC_FLAG;
        ours = subject.run(&unchecked);
        ours.flags |= AC_FLAG;
    }
    (compare(rules, case, &insn, host, &ours), ours)
}
