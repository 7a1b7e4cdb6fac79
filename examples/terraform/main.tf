terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "functions_stack" {
  description = "The CloudFormation stack of the functions, in the provider's account and Region"
  type        = string
  default     = "attachment-policy"
}

variable "maximum_size" {
  description = "The largest file"
  type        = string
  default     = "10 MB"
}

variable "allowed_extensions" {
  description = "The types of file, without a dot"
  type        = set(string)
  default     = ["docx", "jpg", "pdf", "png"]
}

# Not aws_lambda_invocation: it reads nothing back, and an update that failed counts as done, so that the next plan is
# empty. A stack is read, a failed update of it is rolled back, and Terraform plans that update again.
resource "aws_cloudformation_stack" "attachment_policies" {
  name          = "attachment-policies"
  template_body = file("${path.module}/policies.yaml")

  parameters = {
    FunctionsStack    = var.functions_stack
    MaximumSize       = var.maximum_size
    AllowedExtensions = join(",", var.allowed_extensions)
  }

  # An update may last as long as ServiceTimeout, and its rollback again; the provider waits 30 minutes otherwise
  timeouts {
    create = "130m"
    update = "130m"
    delete = "70m"
  }
}

output "change_id" {
  description = "The change that set the values, for GET /policy-changes/{changeId}"
  value       = aws_cloudformation_stack.attachment_policies.outputs["ChangeId"]
}
