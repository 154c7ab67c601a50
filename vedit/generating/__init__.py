"""Films made from a storyboard: pictures that a camera moves over, or prompts that a pretrained engine films."""
