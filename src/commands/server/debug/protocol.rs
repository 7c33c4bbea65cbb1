//! DEBUG PROTOCOL: one value of each type of the protocol, to test clients.

use crate::base::argv::Args;
use crate::resp::{Protocol, Reply};
use crate::server::{Cx, Flow};
use crate::spec::CommandError;

const WRONG_TYPE: &str = "ERR Wrong protocol type name. Please use one of the following: \
                          string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false";

#[expect(clippy::approx_constant, reason = "the value is what redis-server answers")]
const DOUBLE: f64 = 3.141;

pub(super) fn protocol(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let reply = &mut cx.reply;
    match args.at(2).to_ascii_lowercase().as_slice() {
        b"string" => reply.bulk_text("Hello World"),
        b"integer" => reply.integer(12345),
        b"double" => reply.double(DOUBLE),
        b"null" => reply.null(),
        b"array" => {
            reply.array(3);
            (0..3).for_each(|value| reply.integer(value));
        }
        b"set" => {
            reply.set(3);
            (0..3).for_each(|value| reply.integer(value));
        }
        b"map" => {
            reply.map(3);
            (0..3).for_each(|value| {
                reply.integer(value);
                reply.truth(value == 1);
            });
        }
        b"attrib" => attribute(reply),
        b"push" => push(reply)?,
        b"true" => reply.truth(true),
        b"false" => reply.truth(false),
        b"verbatim" => reply.verbatim("txt", b"This is a verbatim\nstring"),
        b"bignum" => reply.big_number("1234567999999999999999999999999999999"),
        _ => return Err(CommandError::text(WRONG_TYPE)),
    }
    Ok(Flow::Done)
}

/// An attribute stands before the reply it belongs to; RESP2 has none.
fn attribute(reply: &mut Reply<'_>) {
    if reply.protocol() == Protocol::Resp3 {
        reply.raw(b"|1\r\n");
        reply.bulk_text("key-popularity");
        reply.array(2);
        reply.bulk_text("key:123");
        reply.integer(90);
    }
    reply.bulk_text("Some real reply following the attribute");
}

fn push(reply: &mut Reply<'_>) -> Result<(), CommandError> {
    if reply.protocol() == Protocol::Resp2 {
        return Err(CommandError::text("ERR RESP2 is not supported by this command"));
    }
    reply.push(2);
    reply.bulk_text("server-cpu-usage");
    reply.integer(42);
    reply.bulk_text("Some real reply following the push reply");
    Ok(())
}
