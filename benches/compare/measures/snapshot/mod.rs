//! Snapshots under writes: what a save costs those whom the server serves meanwhile.
//!
//! ```text
//!  server's core   the server (and its helper threads)
//!  load's core     prober (real-time) · paced writer (real-time) · the saving child · this program's questions
//! ```
//! Both servers are told to keep their child on the load's core (`bgsave_cpulist`). Both are resident; the one that is
//! not being measured gets no request. One series of a server is
//!
//! ```text
//!  writer  ├──────────────────────────────────────────────────────────────────────────────────┤
//!  prober  ├──────────────────────────────────────────────────────────────────────────────────┤
//!          calm stretch   BGSAVE ═══ saved, rest  BGSAVE ═══ saved, rest  BGSAVE ═══ saved, rest
//!                         └ through ┘
//!                         └─── around ──┘
//! ```
//! so that successive saves show whether the server repairs what a save did to its memory. The rest is the same
//! time for both servers, three seconds after the end of the save, and `around` (fork, save and repair) ends with it.
//! First come the saves with compression of one server, then those of the other, then those without compression.
//! The samples of a row are the saves of one series; the n-th save of one server is compared with the n-th of the
//! other.
//!
//! The end of a save is asked for every ten milliseconds, by INFO; that costs the server something, the same for both.

pub mod collections;
pub mod curve;
pub mod large;
mod plot;
mod series;
pub mod strings;
mod study;
mod svg;

use std::io;

use super::CONNECTIONS;
use crate::forms::{Form, Requests};
use crate::load::{Command, Fill, Load, Random, Source, Until};
use crate::servers::Server;

/// How requests are written: from a command on `key:{n}`, or from a form.
#[derive(Clone, Copy, Debug)]
pub enum Requester {
    Command(Command),
    Form(&'static str),
}

impl Requester {
    /// Each key once.
    fn all(self, keys: u64) -> Box<dyn Source + Send> {
        match self {
            Requester::Command(command) => Box::new(Fill::new(command, keys, 1)),
            Requester::Form(line) => Box::new(Requests::new(Form { line, space: keys }, 0..keys, 1)),
        }
    }

    /// Random keys, without end.
    fn endless(self, keys: u64, seed: u64) -> Box<dyn Source + Send> {
        match self {
            Requester::Command(command) => Box::new(Random::new(command, keys, seed)),
            Requester::Form(line) => Box::new(Requests::new(Form { line, space: keys }, 0..u64::MAX, seed)),
        }
    }
}

/// What is stored, and how it is changed while it is saved.
#[derive(Clone, Copy, Debug)]
pub struct Dataset {
    pub name: &'static str,
    pub keys: u64,
    pub fill: Requester,
    /// Of fills at a time on a connection.
    pub pipeline: usize,
    pub update: Requester,
    pub updates_per_second: u32,
}

impl Dataset {
    fn store(&self, server: &Server) -> io::Result<()> {
        let mut source = self.fill.all(self.keys);
        Load::connect(server.port, CONNECTIONS, self.pipeline)?.drive(source.as_mut(), Until::Exhausted)?;
        super::expect_keys(server, self.keys)
    }
}
