//! QR codes, for a terminal and as PNG.

use std::io::Write;

use qrcode::render::unicode::Dense1x2;
use qrcode::{Color, QrCode};

use super::super::failure::Failure;

/// Light modules round the code. Source: ISO/IEC 18004 §9.1.
const QUIET: usize = 4;
/// Pixels of one module.
const SCALE: usize = 6;

/// The code in half blocks, dark on light whatever the terminal's colours are.
pub(super) fn for_terminal(text: &str) -> Result<String, Failure> {
    let code = code(text)?;
    // Most terminals are dark, and readers want a light ground.
    let rows = code
        .render::<Dense1x2>()
        .dark_color(Dense1x2::Light)
        .light_color(Dense1x2::Dark)
        .build();
    Ok(rows + "\n")
}

/// Writes the code as a picture of one bit a pixel.
pub(super) fn write_png(text: &str, out: impl Write) -> Result<(), Failure> {
    let code = code(text)?;
    let modules = code.width();
    let side = (modules + 2 * QUIET) * SCALE;
    let colors = code.to_colors();
    let is_dark = |x: usize, y: usize| {
        let (Some(x), Some(y)) = (
            (x / SCALE).checked_sub(QUIET),
            (y / SCALE).checked_sub(QUIET),
        ) else {
            return false;
        };
        x < modules && y < modules && colors.get(y * modules + x) == Some(&Color::Dark)
    };
    let mut rows = Vec::with_capacity(side * side.div_ceil(8));
    for y in 0..side {
        for byte in 0..side.div_ceil(8) {
            // A bit that is set is a light pixel; what is past the edge is not looked at.
            let bits = (0..8).map(|bit| u8::from(!is_dark(byte * 8 + bit, y)) << (7 - bit));
            rows.push(bits.fold(0, |row, bit| row | bit));
        }
    }
    let side = u32::try_from(side).unwrap_or(u32::MAX);
    let mut encoder = png::Encoder::new(out, side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let failed = || Failure::while_doing("cannot write the picture");
    let mut writer = encoder.write_header().map_err(failed())?;
    writer.write_image_data(&rows).map_err(failed())?;
    writer.finish().map_err(failed())
}

fn code(text: &str) -> Result<QrCode, Failure> {
    QrCode::new(text).map_err(Failure::while_doing("cannot make a QR code"))
}
