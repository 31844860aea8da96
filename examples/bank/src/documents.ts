/** The account of the documents' two events. */
export const DOCUMENTS_ACCOUNT = 'acc-123e4567-e89b-12d3-a456-426614174000'
export const DOCUMENTS_DEPOSIT = '550e8400-e29b-41d4-a716-446655440001'
