//! Answers that the groups of the collections share.

use crate::encoding::listpack::Element;
use crate::resp::Reply;

/// One element as a bulk string.
#[inline]
pub(super) fn element(reply: &mut Reply<'_>, element: Element<'_>) {
    match element {
        Element::Int(value) => reply.bulk_integer(value),
        Element::Bytes(bytes) => reply.bulk(bytes),
    }
}

/// An element, or null.
pub(super) fn element_or_null(reply: &mut Reply<'_>, found: Option<Element<'_>>) {
    match found {
        Some(found) => element(reply, found),
        None => reply.null(),
    }
}
