"""What became of an upload: a form's ticket, OSS's word about it, the receipt for the business."""
