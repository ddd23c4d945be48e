//! Writes a run, line by line.

use super::{Ending, value};
use crate::description::Description;
use crate::names::Names;
use crate::observer::Observer;
use inflight_des::{Halt, Instant, Kinds};
use inflight_protocol::Fact;
use std::io::{self, Write};

/// Writes facts as JSON Lines. As an observer it remembers the first error until
/// [`Writer::finish`].
#[derive(Debug)]
pub struct Writer<W: Write> {
    out: W,
    names: Names,
    facts: u64,
    broken: Option<io::Error>,
}

impl<W: Write> Writer<W> {
    /// A writer that has written the first line. The description must be valid.
    pub fn new(mut out: W, description: &Description) -> io::Result<Self> {
        let invalid = |error| io::Error::new(io::ErrorKind::InvalidInput, error);
        description.validate().map_err(invalid)?;
        out.write_all(b"{\"description\":")?;
        serde_json::to_writer(&mut out, description)?;
        out.write_all(b"}\n")?;
        Ok(Self { out, names: Names::new(description), facts: 0, broken: None })
    }

    /// Writes one fact.
    pub fn write(&mut self, at: Instant, fact: &Fact) -> io::Result<()> {
        self.facts += 1;
        write!(self.out, "{{\"at\":{},\"fact\":\"{}\"", at.as_nanos(), fact.kind().name())?;
        let (mut result, out, names) = (Ok(()), &mut self.out, &self.names);
        fact.for_each_field(|name, value| {
            if result.is_ok() {
                result = write!(out, ",\"{}\":", value::key(name))
                    .and_then(|()| value::write(out, names, value));
            }
        });
        result.and_then(|()| self.out.write_all(b"}\n"))
    }

    /// Writes the last line and gives the sink back, flushed.
    pub fn finish(mut self, events: u64, digest: &str, halt: Halt) -> io::Result<W> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        let ending = Ending { events, facts: self.facts, digest: digest.to_owned(), halt };
        self.out.write_all(b"{\"end\":")?;
        serde_json::to_writer(&mut self.out, &ending)?;
        self.out.write_all(b"}\n")?;
        self.out.flush()?;
        Ok(self.out)
    }
}

impl<W: Write> Observer for Writer<W> {
    const INTEREST: Kinds = Kinds::ALL;

    fn on_fact(&mut self, at: Instant, fact: &Fact) {
        if self.broken.is_none() {
            self.broken = self.write(at, fact).err();
        }
    }
}
