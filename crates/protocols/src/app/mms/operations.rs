//! MMS messages as operations.

use super::super::ber::{CONSTRUCTED, Elements, Tlv, unsigned};
use super::super::bytes::printable;
use super::super::data::{Data, Datum};
use super::super::operation::{Effect, Object, Operation, Role, Values};
use super::service::{Service, unconfirmed};
use super::{Message, Pdu, Variable};

/// Upper byte of the numbers of unconfirmed services.
const UNCONFIRMED: u16 = 0x100;
/// Upper byte of the numbers of units without a service.
const UNIT: u16 = 0x200;
/// Levels searched for the name a request is about.
const NAME_DEPTH: usize = 5;

/// A list of variables, and one by its name.
const VARIABLES: u8 = 0xa0;
const LIST_NAME: u8 = 0xa1;
/// A name of a domain, of the machine, of the association.
const DOMAIN_SPECIFIC: u8 = 0xa1;
const VMD_SPECIFIC: u8 = 0x80;
const ASSOCIATION_SPECIFIC: u8 = 0x82;
/// Text of an identifier, of a file name.
const IDENTIFIER: u8 = 0x1a;
const FILE_NAME: u8 = 0x19;
/// A failure among results.
const FAILURE: u8 = 0x80;

/// Reads an object name.
pub(super) fn name<'a>(element: &Tlv<'a>) -> Option<Variable<'a>> {
    match element.tag {
        VMD_SPECIFIC | ASSOCIATION_SPECIFIC => Some(Variable { domain: &[], name: element.value }),
        DOMAIN_SPECIFIC => {
            let mut both = element.inside();
            let (domain, name) = (both.next()?, both.next()?);
            let texts = domain.tag == IDENTIFIER && name.tag == IDENTIFIER;
            texts.then_some(Variable { domain: domain.value, name: name.value })
        }
        _ => None,
    }
}

/// Names of an access specification: a list of variables or the name of a list.
pub(super) fn variables<'a>(
    specification: &Tlv<'a>,
) -> impl Iterator<Item = Variable<'a>> + use<'a> {
    let listed = specification.tag == VARIABLES;
    let list = Elements::new(if listed { specification.value } else { &[] });
    let named = (specification.tag == LIST_NAME)
        .then(|| specification.inside().next().and_then(|inner| name(&inner)))
        .flatten();
    // Each is a sequence that begins with the name; other ways to say a variable are left out.
    let listed = list.filter_map(|variable| {
        variable.child(VARIABLES)?.inside().next().and_then(|inner| name(&inner))
    });
    listed.chain(named)
}

fn object(variable: Variable<'_>) -> Object<'_> {
    match variable {
        Variable { domain: [], name } => Object::Name(name),
        Variable { domain, name } => Object::Member { domain, name },
    }
}

/// The functional constraint in a name of IEC 61850 (`node$constraint$…`) says what writing does.
fn written(name: &[u8]) -> Effect {
    match name.split(|byte| *byte == b'$').nth(1) {
        Some(b"CO") => Effect::Control,
        Some(b"CF" | b"DC" | b"SG" | b"SE" | b"EX") => Effect::Configure,
        _ => Effect::Write,
    }
}

/// The failure a single result may be.
fn failure(entry: Data<'_>) -> Option<u16> {
    match entry.leaves().next() {
        Some(Datum::Failure(code)) => Some(code),
        _ => None,
    }
}

/// The first name in a request of another service.
fn first_name<'a>(elements: Elements<'a>, depth: usize) -> Option<Object<'a>> {
    for element in elements {
        if element.tag == DOMAIN_SPECIFIC
            && let Some(variable) = name(&element)
        {
            return Some(object(variable));
        }
        let text =
            matches!(element.tag, IDENTIFIER | FILE_NAME | VMD_SPECIFIC | ASSOCIATION_SPECIFIC);
        if text && element.value.len() > 1 && printable(element.value) {
            return Some(Object::Name(element.value));
        }
        if element.tag & CONSTRUCTED != 0 && depth < NAME_DEPTH {
            let found = first_name(element.inside(), depth + 1);
            if found.is_some() {
                return found;
            }
        }
    }
    None
}

pub(super) fn tell<'a>(message: &Message<'a>, each: &mut dyn FnMut(Operation<'a>)) {
    let role = match message.pdu {
        Pdu::ConfirmedRequest
        | Pdu::CancelRequest
        | Pdu::InitiateRequest
        | Pdu::ConcludeRequest => Role::Request,
        Pdu::Unconfirmed => Role::Report,
        _ => Role::Response,
    };
    let plain = Operation {
        role,
        effect: Effect::Session,
        function: UNIT | message.pdu as u16,
        name: message.pdu.name(),
        unit: 0,
        transaction: message.invoke,
        refused: None,
        cause: 0,
        object: Object::None,
        values: Values::none(),
    };
    match (message.pdu, message.service) {
        (Pdu::ConfirmedRequest, Some(number)) => request(message, number, plain, each),
        (Pdu::ConfirmedResponse, Some(number)) => response(message, number, plain, each),
        (Pdu::Unconfirmed, Some(number)) => report(message, number, plain, each),
        (Pdu::ConfirmedError | Pdu::Reject | Pdu::InitiateError, _) => {
            each(Operation { effect: Effect::Diagnose, refused: Some(message.error), ..plain });
        }
        _ => each(plain),
    }
}

fn request<'a>(
    message: &Message<'a>,
    number: u8,
    plain: Operation<'a>,
    each: &mut dyn FnMut(Operation<'a>),
) {
    let service = Service(number);
    let (name, effect) = (service.name(), service.effect());
    let plain = Operation { name, effect, function: u16::from(number), ..plain };
    let body = message.body;
    let mut told = false;
    match number {
        Service::READ => {
            for variable in message.variables() {
                told = true;
                each(Operation { object: object(variable), ..plain });
            }
        }
        Service::WRITE => {
            let mut data = message.data().each();
            for variable in message.variables() {
                told = true;
                let values = data.next().map_or(Values::none(), Values::data);
                let effect = written(variable.name);
                each(Operation { object: object(variable), effect, values, ..plain });
            }
        }
        Service::GET_NAME_LIST => {
            let class =
                body.inside().next().and_then(|class| unsigned(class.inside().next()?.value));
            let cause = class.and_then(|class| u16::try_from(class).ok()).unwrap_or(0);
            let scope = body.inside().nth(1);
            let object = scope.and_then(|scope| first_name(scope.inside(), 0));
            // The name of a domain is tagged 1 here, not as an identifier.
            let domain =
                scope.and_then(|scope| scope.child(0x81)).map(|domain| Object::Name(domain.value));
            told = true;
            each(Operation { cause, object: domain.or(object).unwrap_or(Object::None), ..plain });
        }
        _ => {}
    }
    if !told {
        let text = body.tag & CONSTRUCTED == 0 && printable(body.value);
        let object = if text { Some(Object::Name(body.value)) } else { None };
        let object = object.or_else(|| name_of(&body)).unwrap_or(Object::None);
        each(Operation { object, ..plain });
    }
}

/// The name a request of another service is about: its body may be the name itself.
fn name_of<'a>(body: &Tlv<'a>) -> Option<Object<'a>> {
    (body.tag & CONSTRUCTED != 0).then(|| first_name(body.inside(), 0)).flatten()
}

fn response<'a>(
    message: &Message<'a>,
    number: u8,
    plain: Operation<'a>,
    each: &mut dyn FnMut(Operation<'a>),
) {
    let service = Service(number);
    let (name, effect) = (service.name(), service.effect());
    let plain = Operation { name, effect, function: u16::from(number), ..plain };
    let mut told = false;
    match number {
        Service::READ => {
            for entry in message.data().each() {
                told = true;
                let refused = failure(entry);
                let values = if refused.is_some() { Values::none() } else { Values::data(entry) };
                each(Operation { refused, values, ..plain });
            }
        }
        Service::WRITE => {
            for result in message.body.inside() {
                told = true;
                let code = unsigned(result.value).and_then(|code| u16::try_from(code).ok());
                let refused = (result.tag == FAILURE).then_some(code.unwrap_or(0));
                each(Operation { refused, ..plain });
            }
        }
        _ => {}
    }
    if !told {
        each(plain);
    }
}

fn report<'a>(
    message: &Message<'a>,
    number: u8,
    plain: Operation<'a>,
    each: &mut dyn FnMut(Operation<'a>),
) {
    let (name, effect) = (unconfirmed(number), Effect::Read);
    let plain = Operation { name, effect, function: UNCONFIRMED | u16::from(number), ..plain };
    let data = message.data();
    let object = message.variables().next().map_or(Object::None, object);
    // A report of IEC 61850 names itself in its first value.
    let object = match (object, data.leaves().next()) {
        (Object::Name(b"RPT"), Some(Datum::Text(id))) => Object::Name(id),
        _ => object,
    };
    each(Operation { object, values: Values::data(data), ..plain });
}
