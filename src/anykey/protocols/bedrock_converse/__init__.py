"""Amazon Bedrock's Converse and ConverseStream, as we speak them to an upstream. No client speaks them to us."""
