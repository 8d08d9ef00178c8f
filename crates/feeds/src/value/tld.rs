//! Top-level domains and endings of files: both together tell `readme.txt` from `evil.top`.

/// Top-level domains of IANA's root zone, one a line, sorted, lower case: the MISP warninglist
/// "TLDs as known by IANA" of 2026-08-11 (CC0-1.0).
const TLDS: &str = include_str!("../../data/tlds.txt");

/// Endings of files that people write in reports, sorted.
const EXTENSIONS: &[&str] = &[
    "7z", "ai", "aac", "accdb", "apk", "app", "asp", "aspx", "avi", "bak", "bash", "bat", "bin",
    "bmp", "bz2", "c", "cab", "cc", "cer", "cfg", "chm", "class", "cmd", "conf", "config", "cpl",
    "cpp", "crt", "cs", "css", "csv", "dat", "data", "db", "dbg", "deb", "dll", "dmg", "dmp",
    "doc", "docm", "docx", "dot", "drv", "elf", "eml", "exe", "flv", "gif", "go", "gz", "h", "hpp",
    "hta", "htm", "html", "ico", "img", "inf", "ini", "iso", "jar", "java", "jpeg", "jpg", "js",
    "jse", "json", "jsp", "jspx", "key", "kt", "lnk", "lock", "log", "lua", "map", "md", "mdb",
    "mht", "mkv", "mof", "mov", "mp3", "mp4", "msc", "msg", "msi", "msp", "mui", "nls", "ocx",
    "odt", "old", "one", "out", "pcap", "pcapng", "pdb", "pdf", "pem", "pfx", "php", "pid", "pif",
    "pl", "plist", "png", "ppt", "pptx", "ps", "ps1", "psd1", "psm1", "py", "pyc", "rar", "rb",
    "reg", "rs", "rtf", "scr", "sh", "so", "sql", "sqlite", "st", "svg", "swf", "sys", "tar",
    "tgz", "tmp", "toml", "ts", "tsx", "ttf", "txt", "url", "vb", "vbe", "vbs", "vhd", "vmdk",
    "war", "wav", "webp", "wsf", "xls", "xlsb", "xlsm", "xlsx", "xml", "xsl", "xz", "yaml", "yar",
    "yara", "yml", "zip", "zst",
];

/// Whether a label is a top-level domain of the root zone, whatever its case. A false answer does
/// not prove anything about domains younger than the list.
#[must_use]
pub fn is_known_tld(label: &str) -> bool {
    static SET: std::sync::OnceLock<hashbrown::HashSet<&'static str>> = std::sync::OnceLock::new();
    let set = SET.get_or_init(|| TLDS.lines().collect());
    if label.bytes().all(|b| !b.is_ascii_uppercase()) {
        set.contains(label)
    } else {
        set.contains(label.to_ascii_lowercase().as_str())
    }
}

/// Whether a text is an ending of files, without the dot, whatever its case.
#[must_use]
pub fn is_file_extension(ending: &str) -> bool {
    ending.len() <= 6 && EXTENSIONS.iter().any(|known| known.eq_ignore_ascii_case(ending))
}
