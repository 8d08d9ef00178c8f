//! Tables of the predefined extensions of cyber observables (STIX 2.1 §6.7, §6.12, §6.13, §6.16).

use super::forms;
use super::observables::{COUNT, HEX, INTEGER};
use super::observed::{exif_names, nothing_in_map};
use super::rules::{Property, Struct, may, must};
use super::shape::{Shape, Target, Values};
use crate::vocabulary as v;

const fn of(
    clause: &'static str,
    properties: &'static [Property],
    one_beside: Option<&'static str>,
) -> Struct {
    Struct { clause, properties, one_beside, check: nothing_in_map }
}

/// The table of a predefined extension and the type it belongs to.
pub(super) fn find(name: &str) -> Option<&'static (&'static str, &'static str, Struct)> {
    PREDEFINED.iter().find(|(known, _, _)| *known == name)
}

/// Name of the extension, type of the object, table.
static PREDEFINED: [(&str, &str, Struct); 12] = [
    ("archive-ext", "file", of("STIX 2.1 §6.7.2", ARCHIVE, None)),
    ("ntfs-ext", "file", of("STIX 2.1 §6.7.3", NTFS, Some(""))),
    ("pdf-ext", "file", of("STIX 2.1 §6.7.4", PDF, Some(""))),
    (
        "raster-image-ext",
        "file",
        Struct { check: exif_names, ..of("STIX 2.1 §6.7.5", RASTER_IMAGE, Some("")) },
    ),
    ("windows-pebinary-ext", "file", of("STIX 2.1 §6.7.6", PE_BINARY, Some("pe_type"))),
    ("http-request-ext", "network-traffic", of("STIX 2.1 §6.12.2", HTTP_REQUEST, None)),
    ("icmp-ext", "network-traffic", of("STIX 2.1 §6.12.3", ICMP, None)),
    ("socket-ext", "network-traffic", of("STIX 2.1 §6.12.4", SOCKET, None)),
    ("tcp-ext", "network-traffic", of("STIX 2.1 §6.12.5", TCP, Some(""))),
    ("windows-process-ext", "process", of("STIX 2.1 §6.13.2", WINDOWS_PROCESS, Some(""))),
    ("windows-service-ext", "process", of("STIX 2.1 §6.13.3", WINDOWS_SERVICE, Some(""))),
    ("unix-account-ext", "user-account", of("STIX 2.1 §6.16.2", UNIX_ACCOUNT, Some(""))),
];

const ARCHIVE: &[Property] = &[
    must("contains_refs", Shape::Refs(Target::Only(&["file", "directory"]))),
    may("comment", Shape::Text),
];

const NTFS: &[Property] =
    &[may("sid", Shape::Text), may("alternate_data_streams", Shape::Structs(&DATA_STREAM))];

static DATA_STREAM: Struct = of(
    "STIX 2.1 §6.7.3.1",
    &[must("name", Shape::Text), may("hashes", Shape::Hashes), may("size", COUNT)],
    None,
);

const PDF: &[Property] = &[
    may("version", Shape::Text),
    may("is_optimized", Shape::Bool),
    may("document_info_dict", Shape::Dictionary(Values::Texts)),
    may("pdfid0", Shape::Text),
    may("pdfid1", Shape::Text),
];

const RASTER_IMAGE: &[Property] = &[
    may("image_height", INTEGER),
    may("image_width", INTEGER),
    may("bits_per_pixel", INTEGER),
    may("exif_tags", Shape::Dictionary(Values::TextsOrIntegers)),
];

const PE_BINARY: &[Property] = &[
    must("pe_type", Shape::Open(&v::WINDOWS_PEBINARY_TYPE)),
    may("imphash", Shape::Text),
    may("machine_hex", HEX),
    may("number_of_sections", COUNT),
    may("time_date_stamp", Shape::Seconds),
    may("pointer_to_symbol_table_hex", HEX),
    may("number_of_symbols", COUNT),
    may("size_of_optional_header", COUNT),
    may("characteristics_hex", HEX),
    may("file_header_hashes", Shape::Hashes),
    may("optional_header", Shape::Struct(&PE_HEADER)),
    may("sections", Shape::Structs(&PE_SECTION)),
];

static PE_HEADER: Struct = of(
    "STIX 2.1 §6.7.6.1",
    &[
        may("magic_hex", HEX),
        may("major_linker_version", INTEGER),
        may("minor_linker_version", INTEGER),
        may("size_of_code", COUNT),
        may("size_of_initialized_data", COUNT),
        may("size_of_uninitialized_data", COUNT),
        may("address_of_entry_point", INTEGER),
        may("base_of_code", INTEGER),
        may("base_of_data", INTEGER),
        may("image_base", INTEGER),
        may("section_alignment", INTEGER),
        may("file_alignment", INTEGER),
        may("major_os_version", INTEGER),
        may("minor_os_version", INTEGER),
        may("major_image_version", INTEGER),
        may("minor_image_version", INTEGER),
        may("major_subsystem_version", INTEGER),
        may("minor_subsystem_version", INTEGER),
        may("win32_version_value_hex", HEX),
        may("size_of_image", COUNT),
        may("size_of_headers", COUNT),
        may("checksum_hex", HEX),
        may("subsystem_hex", HEX),
        may("dll_characteristics_hex", HEX),
        may("size_of_stack_reserve", COUNT),
        may("size_of_stack_commit", COUNT),
        may("size_of_heap_reserve", COUNT),
        may("size_of_heap_commit", COUNT),
        may("loader_flags_hex", HEX),
        may("number_of_rva_and_sizes", INTEGER),
        may("hashes", Shape::Hashes),
    ],
    Some(""),
);

static PE_SECTION: Struct = of(
    "STIX 2.1 §6.7.6.2",
    &[
        must("name", Shape::Text),
        may("size", COUNT),
        may("entropy", Shape::Number(f64::MIN, f64::MAX)),
        may("hashes", Shape::Hashes),
    ],
    None,
);

const HTTP_REQUEST: &[Property] = &[
    must("request_method", Shape::Text),
    must("request_value", Shape::Text),
    may("request_version", Shape::Text),
    may("request_header", Shape::Dictionary(Values::TextLists)),
    may("message_body_length", INTEGER),
    may("message_body_data_ref", Shape::Ref(Target::Only(&["artifact"]))),
];

const ICMP: &[Property] = &[must("icmp_type_hex", HEX), must("icmp_code_hex", HEX)];

const SOCKET: &[Property] = &[
    must("address_family", Shape::Enum(&v::SOCKET_FAMILY)),
    may("is_blocking", Shape::Bool),
    may("is_listening", Shape::Bool),
    may("options", Shape::Dictionary(Values::Integers)),
    may("socket_type", Shape::Enum(&v::SOCKET_TYPE)),
    may("socket_descriptor", COUNT),
    may("socket_handle", INTEGER),
];

const TCP: &[Property] = &[may("src_flags_hex", HEX), may("dst_flags_hex", HEX)];

const WINDOWS_PROCESS: &[Property] = &[
    may("aslr_enabled", Shape::Bool),
    may("dep_enabled", Shape::Bool),
    may("priority", Shape::Should(&forms::PRIORITY)),
    may("owner_sid", Shape::Text),
    may("window_title", Shape::Text),
    may("startup_info", Shape::Dictionary(Values::Any)),
    may("integrity_level", Shape::Enum(&v::WINDOWS_INTEGRITY)),
];

const WINDOWS_SERVICE: &[Property] = &[
    may("service_name", Shape::Text),
    may("descriptions", Shape::Texts),
    may("display_name", Shape::Text),
    may("group_name", Shape::Text),
    may("start_type", Shape::Enum(&v::SERVICE_START)),
    may("service_dll_refs", Shape::Refs(Target::Only(&["file"]))),
    may("service_type", Shape::Enum(&v::SERVICE_TYPE)),
    may("service_status", Shape::Enum(&v::SERVICE_STATUS)),
];

const UNIX_ACCOUNT: &[Property] = &[
    may("gid", INTEGER),
    may("groups", Shape::Texts),
    may("home_dir", Shape::Text),
    may("shell", Shape::Text),
];
